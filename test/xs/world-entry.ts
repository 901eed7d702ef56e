/**
 * What both engines run: firmware and world in one script, with one function over texts. Everything that goes in and
 * comes out is ASCII, so that an engine without TextDecoder has nothing to decode.
 */
import type { StoryLine, WorldOptions } from "../../host-sim/world/report";
import { runWorld } from "../../host-sim/world/world";

export interface WorldJob {
	readonly options: Omit<WorldOptions, "onStory">;
	/** Lines of the story from this step on are told; absent: none. */
	readonly storyFrom?: number;
}

/**
 * @param json - a {@link WorldJob}
 * @param tell - takes each line of the story as JSON
 * @returns the WorldReport as JSON
 */
export function runWorldJson(json: string, tell: (line: string) => void): string {
	const { options, storyFrom } = JSON.parse(json) as WorldJob;
	if (storyFrom === undefined) return toAscii(runWorld(options));
	const onStory = (line: StoryLine) => {
		if (line.step >= storyFrom) tell(toAscii(line));
	};
	return toAscii(runWorld({ ...options, onStory }));
}

function toAscii(value: unknown): string {
	return JSON.stringify(value).replace(
		/[\u007f-\uffff]/g,
		(char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
	);
}
