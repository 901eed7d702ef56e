/** What a random shop sells, and what its host says: drawn from a seed. */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import type { StoredCard } from "../../src/security/card-seal";
import {
	type AdviceFacts,
	KIND_OFFLINE_SALE,
	KIND_REFUND,
	KIND_RESEND,
	KIND_SALE,
	type Outcome,
} from "../../src/transactions/records";
import type { NewSale } from "../../src/transactions/transaction-log";

export interface Drawn {
	readonly kind: number;
	readonly sale: NewSale;
	readonly card: StoredCard;
	readonly original: AdviceFacts | undefined;
	readonly emv: Uint8Array | undefined;
}

const PANS = ["6212345678901232", "6221234567890123450", "621234567890"];

/** One in six is an advice. */
export function drawSale(random: SeededRandom): Drawn {
	const sale: NewSale = {
		amountMinor: 1 + random.below(random.chance(1, 20) ? 0xffff_ffff : 100_000),
		timeS: random.u32(),
		entryMode: random.pick(["051", "052", "071", "021"]),
		condition: "00",
		field60Rest: random.pick(["00060", "00050"]),
	};
	const card: StoredCard = { pan: random.pick(PANS), expiry: `${2600 + random.below(300)}` };
	if (random.chance(1, 2)) card.sequence = `${100 + random.below(900)}`;
	const kind = random.chance(5, 6) ? KIND_SALE : random.pick([KIND_OFFLINE_SALE, KIND_REFUND, KIND_RESEND]);
	const withOriginal = kind === KIND_REFUND || kind === KIND_RESEND;
	let emv: Uint8Array | undefined;
	if (kind === KIND_OFFLINE_SALE && random.chance(2, 3)) {
		emv = new Uint8Array(1 + random.below(255));
		random.fill(emv);
	}
	return { kind, sale, card, original: withOriginal ? drawOriginal(random) : undefined, emv };
}

function drawOriginal(random: SeededRandom): AdviceFacts {
	return {
		originalBatch: 1 + random.below(999_999),
		originalStan: 1 + random.below(random.chance(1, 2) ? 5 : 999_999),
		originalDate: `${1_000 + random.below(9_000)}`,
		rrn: `${100_000_000 + random.below(900_000_000)}000`,
		authorization: random.chance(1, 2) ? `A${10_000 + random.below(90_000)}` : "",
	};
}

export function drawOutcome(random: SeededRandom, code: string): Outcome {
	const authorization = code === "00" ? `A${10_000 + random.below(90_000)}` : "";
	const hostTime = `${100_000 + random.below(900_000)}${1_000 + random.below(9_000)}`;
	return { code, rrn: `${100_000_000 + random.below(900_000_000)}000`, authorization, hostTime };
}
