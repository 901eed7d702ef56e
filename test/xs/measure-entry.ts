/**
 * What the XS worker runs for the figures: small commands, so that whoever asks can read the machine's count of slots
 * after each. What a command itself needs is the same few slots for all of them.
 */
import { assert } from "../../src/core/assert";
import type { Remains } from "./measure-board";
import { PackedTape, TapeLink } from "./measure-link";
import { LIVE_SCENE, runScene, SCENES, type Scene, Stand } from "./measure-scenes";
import type { SceneScript } from "./record";

export type MeasureCommand =
	/** The scene that the next commands are about. */
	| { readonly do: "load"; readonly scene: string; readonly script: SceneScript }
	/** A new board, and no terminal; what was before it is forgotten. */
	| { readonly do: "board" }
	| { readonly do: "construct" | "prepare" }
	/** The line is gone, and so many offline sales are in the queue; an hour goes by. */
	| { readonly do: "forward"; readonly count: number }
	/** The scene; see Probe. */
	| { readonly do: "act"; readonly collectAt: number; readonly stopAt: number }
	/** The calls of ports in the last scene, as the answer. */
	| { readonly do: "calls" };

const HOUR_MS = 3_600_000;

let collectGarbage = () => {};
let scene: Scene | undefined;
let tape: PackedTape | undefined;
let remains: Remains | undefined;
let stand: Stand | undefined;
let link: TapeLink | undefined;

/** @param collect - a full collection of garbage */
export function useCollector(collect: () => void): void {
	collectGarbage = collect;
}

/** @returns nothing, or the answer. All but "act" collect garbage when they are done */
export function measure(json: string): string {
	const command = JSON.parse(json) as MeasureCommand;
	if (command.do === "calls") return String(stand?.board.probe.calls);
	if (command.do === "act") act(command.collectAt, command.stopAt);
	else {
		carryOut(command);
		collectGarbage();
	}
	return "";
}

function carryOut(command: Exclude<MeasureCommand, { do: "act" | "calls" }>): void {
	switch (command.do) {
		case "load":
			stand = undefined;
			scene = [...SCENES, LIVE_SCENE].find(({ name }) => name === command.scene);
			tape = new PackedTape(command.script.tape);
			remains = command.script.remains;
			return;
		case "board":
			stand = makeStand();
			return;
		case "construct":
			theStand().construct();
			return;
		case "prepare":
			theScene().prepare(theStand());
			return;
		case "forward":
			forward(command.count);
	}
}

function act(collectAt: number, stopAt: number): void {
	const { board } = theStand();
	board.probe.begin(collectAt, stopAt);
	const ended = runScene(theScene(), theStand());
	board.probe.end();
	assert(ended === (stopAt === 0), "a scene ends, or is stopped where it was to stop");
}

function forward(count: number): void {
	assert(link !== undefined, "there is a board");
	link.down = true;
	for (let n = 0; n < count; n++) theStand().forward();
	theStand().board.run(HOUR_MS);
}

function makeStand(): Stand {
	const { scheme, card, blocks, config } = theScene();
	const packed = tape;
	assert(packed !== undefined, "there is a tape");
	return new Stand({
		scheme,
		card,
		blocks,
		config,
		collect: collectGarbage,
		makeLink: (clock, probe) => {
			link = new TapeLink(packed, clock, probe);
			return link;
		},
		remains,
	});
}

function theScene(): Scene {
	assert(scene !== undefined, "there is a scene");
	return scene;
}

function theStand(): Stand {
	assert(stand !== undefined, "there is a board");
	return stand;
}
