/**
 * What `npm run verify` says, in both languages.
 * @module
 */
import type { Finding, FindingCode } from "./verify-findings";
import type { SyntaxProblem } from "./verify-json";
import type { ShapeProblem } from "./verify-shape";

export type Language = "zh" | "en";
type Words = Readonly<Record<Language, string>>;

/** `{name}` is one of the finding's facts. */
const FINDINGS: Readonly<Record<FindingCode, Words>> = {
	signed: {
		en: "not a byte was altered since the holder of key {key} signed it (Ed25519)",
		zh: "自公钥 {key} 的持有者签名以来未改动任何字节（Ed25519）",
	},
	badSignature: { en: "the signature does not fit: something was altered", zh: "签名不符：内容被改动" },
	weakKey: {
		en: "this key fits any content: no device has it, and its signature says nothing",
		zh: "该公钥可配任何内容：不是设备的公钥，其签名无效",
	},
	keyGiven: { en: "the key is the one that was given", zh: "公钥与所给的一致" },
	keyOther: { en: "signed with another key than the one that was given", zh: "签名公钥与所给的不一致" },
	keyUnknown: {
		en: "whose key it is: anybody can sign with a key of their own; get the terminal's key from elsewhere, then give --key",
		zh: "公钥属于谁：任何人都可用自己的密钥签名；请另行取得终端登记的公钥，用 --key 给出",
	},
	section: { en: "this part is not what its digest says", zh: "该部分与其摘要不符" },
	misshapen: { en: "not as a pack must be ({problem})", zh: "格式不符（{problem}）" },
	lines: { en: "{count} frames: their masked lines fit their digests", zh: "{count} 个报文的屏蔽文本与摘要相符" },
	noFrames: { en: "no frame of this is in the device's ring any more", zh: "设备中已没有相关报文" },
	noRing: { en: "the device keeps no frames", zh: "该设备不保存报文" },
	framesLost: { en: "{count} frames were not recorded in between", zh: "其间有 {count} 个报文未记录" },
	line: { en: "the line does not fit its digest", zh: "文本与摘要不符" },
	frameOrder: { en: "the frame is not where its number belongs", zh: "报文顺序与其编号不符" },
	frameTwice: { en: "{count} frames stand twice", zh: "{count} 个报文重复" },
	fullUnknown: {
		en: "what the masked parts hide: needs --salt and --full from the acquirer",
		zh: "被屏蔽的内容：需收单机构提供 --salt 和 --full",
	},
	saltOther: { en: "the salt is not this pack's", zh: "所给盐值不属于此证据包" },
	saltAbsent: { en: "a salt was given, but the pack has none", zh: "给出了盐值，但证据包中没有" },
	full: { en: "full frame {number} is this one", zh: "第 {number} 个完整报文与此一致" },
	fullNone: { en: "full frame {number} is none of the pack's", zh: "第 {number} 个完整报文不在证据包中" },
	links: {
		en: "the transactions are in the hash chain as stated; {links} links computed",
		zh: "交易与哈希链一致；已计算 {links} 个链节",
	},
	facts: { en: "transaction {id} is not what was linked", zh: "交易 {id} 与链节不符" },
	lostFacts: {
		en: "the records of transaction {id} are lost, and more is said of it than its number",
		zh: "交易 {id} 的记录已丢失，却列有编号以外的内容",
	},
	stateName: { en: "not the name of the state of transaction {id}", zh: "与交易 {id} 的状态编号不符" },
	kind: { en: "not a kind that transaction {id} can be", zh: "与交易 {id} 的内容不符的类别" },
	order: { en: "not in the order of numbers", zh: "未按编号顺序排列" },
	notLinked: { en: "transaction {id} is not in the chain", zh: "交易 {id} 不在哈希链中" },
	released: {
		en: "the case's transaction by the chain: its batch was settled and it has left the device",
		zh: "哈希链对该差错交易的证明：所在批次已结算，记录已离开设备",
	},
	caseOther: {
		en: "the case says something else of transaction {id} than the transaction itself",
		zh: "差错所述与交易 {id} 本身不符",
	},
	scope: { en: "not what the pack says it is about", zh: "与证据包所称的范围不符" },
	chainStart: { en: "not where this journal's chain begins", zh: "不是该流水哈希链的起点" },
	lostCount: { en: "another number of lost transactions than the links have", zh: "与链节中丢失的交易数不符" },
	recordsLost: { en: "{count} transactions whose records flash has lost", zh: "{count} 笔交易的记录已丢失" },
	anchorMisfit: {
		en: "this anchor: records behind it have left the device since",
		zh: "此锚点：其后有记录已离开设备，无法核对",
	},
	anchorBegun: {
		en: "the ends at this anchor: an outcome has changed since; the beginnings fit",
		zh: "此锚点的结果部分：之后有结果变化；发起部分相符",
	},
	anchored: {
		en: "transaction {id}: anchored, begun before {begun}, ended as stated before {ended}, by the host's clock",
		zh: "交易 {id}：已锚定，发起早于 {begun}，结果早于 {ended} 已如所述（主机时钟）",
	},
	anchoredBegun: {
		en: "transaction {id}: anchored, begun before {begun} by the host's clock; its end is not",
		zh: "交易 {id}：发起已锚定，早于 {begun}（主机时钟）；结果未锚定",
	},
	notAnchored: { en: "transaction {id}: not anchored", zh: "交易 {id}：未锚定" },
	headGiven: {
		en: "the acquirer was told {head}: everything up to transaction {id}",
		zh: "收单机构收到过 {head}：涵盖至交易 {id}",
	},
	headUnknown: {
		en: "that the acquirer was told {head} at {hostTime}: ask it, then give --head HEX@TIME",
		zh: "收单机构曾于 {hostTime} 收到 {head}：请向其核实后用 --head 链头@时间 给出",
	},
	headTime: {
		en: "that {head} was told at {hostTime}: the pack alone says when; ask the acquirer, then give --head HEX@TIME",
		zh: "{head} 于 {hostTime} 收到：时间仅为证据包所述；请向收单机构核实后用 --head 链头@时间 给出",
	},
	headTimeOther: {
		en: "that {head} was told at {hostTime}, as the pack says: by the acquirer it was {told}, which counts",
		zh: "证据包称 {head} 于 {hostTime} 收到；收单机构称为 {told}，以其为准",
	},
	headOther: { en: "{head} is no head that the pack leads to", zh: "{head} 不是此证据包可推出的链头" },
};

const SHAPE_PROBLEMS: Readonly<Record<ShapeProblem, Words>> = {
	missing: { en: "it is missing", zh: "缺失" },
	unknown: { en: "there is no such member", zh: "不应有此项" },
	kind: { en: "another kind of value", zh: "类型不对" },
	bounds: { en: "out of its bounds", zh: "超出范围" },
};

const SYNTAX_PROBLEMS: Readonly<Record<SyntaxProblem, string>> = {
	"ends early": "文件不完整",
	"goes on behind its end": "结尾之后还有内容",
	"no JSON value": "不是 JSON 值",
	"white space or another character": "多余的空白或字符",
	"too deep": "嵌套过深",
	"too many members": "成员过多",
	"keys not ascending": "键未按顺序排列",
	"a key given twice": "键重复",
	"no such key": "无此键",
	"number not as it should be written": "数字写法不规范",
	"text not as it should be written": "文本写法不规范",
	"no UTF-8": "不是 UTF-8",
	"text too long": "文本过长",
	"too many values": "内容过多",
};

export const LABELS: Readonly<Record<Finding["verdict"] | "good" | "unknown" | "bad", Words>> = {
	proven: { en: "proven", zh: "已证明" },
	unproven: { en: "not proven", zh: "未证明" },
	altered: { en: "ALTERED", zh: "被改动" },
	good: { en: "the pack is what the device signed", zh: "证据包与设备签名一致" },
	unknown: {
		en: "the pack is what the holder of its key signed; whose key that is, is not proven",
		zh: "证据包与其公钥的签名一致；公钥属于谁未证明",
	},
	bad: { en: "the pack is not to be relied on", zh: "证据包不可采信" },
};

export function findingText(finding: Finding, language: Language): string {
	const words = FINDINGS[finding.code][language].replace(/\{(\w+)\}/g, (_, name: string) => {
		const fact = finding.facts?.[name];
		if (name === "problem") return SHAPE_PROBLEMS[fact as ShapeProblem][language];
		if (["begun", "ended", "hostTime", "told"].includes(name)) return hostTimeText(String(fact), language);
		return String(fact);
	});
	return finding.path === undefined ? words : `${finding.path}: ${words}`;
}

export function syntaxText(problem: SyntaxProblem, language: Language): string {
	return language === "en" ? problem : SYNTAX_PROBLEMS[problem];
}

/** YYYYMMDDhhmmss for people. */
export function hostTimeText(time: string, language: Language): string {
	if (!/^(?!0000)\d{14}$/.test(time)) return language === "en" ? "an unknown time" : "未知时间";
	return time.replace(/^(....)(..)(..)(..)(..)(..)$/, "$1-$2-$3 $4:$5:$6");
}
