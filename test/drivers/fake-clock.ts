/** Time that passes when the test says so, for drivers that need a Clock. */
import { VirtualTime } from "../../host-sim/board/virtual-clock";

export function fakeTime(): VirtualTime {
	return new VirtualTime(Date.UTC(2026, 10, 22));
}
