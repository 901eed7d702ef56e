/** A whole shop whose line ends at a script instead of a host: for answers no honest host would give. */

import type { ConfigOptions } from "../../src/config";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import type { Screen, ScreenName } from "../../src/ports";
import { buildSignOnAnswer, ScriptedLink, type ScriptedLinkOptions } from "../host/scripted-link";
import { Rig, type RigOptions } from "../host-sim/world/rig";

export type OnRequest = (request: MessageDecoder, link: ScriptedLink) => void;

export class ScriptedRig extends Rig {
	/** What the far end does with each frame; undefined: nothing. */
	onRequest: OnRequest | undefined;
	/** What it does with a sign-on. */
	onSignOn: OnRequest = (request, link) => this.acceptSignOn(request, link);
	/** What a connect comes to. */
	connects: ScriptedLinkOptions["connects"] = "opens";
	readonly screens: Screen[] = [];
	#links: ScriptedLink[] = [];

	constructor(onRequest?: OnRequest, config: ConfigOptions = {}, options: RigOptions = {}) {
		const links: ScriptedLink[] = [];
		const screens: Screen[] = [];
		super({
			...options,
			config,
			onScreen: (screen, rig) => {
				screens.push(screen);
				options.onScreen?.(screen, rig);
			},
			makeLinks: (_power, clock, rig) => {
				const self = rig as ScriptedRig;
				const link = new ScriptedLink({
					clock,
					onRequest: (request, from) => {
						if (request.mti === "0800") self.onSignOn(request, from);
						else self.onRequest?.(request, from);
					},
					get connects() {
						return self.connects ?? "opens";
					},
				});
				links.push(link);
				return [link];
			},
		});
		this.#links = links;
		this.screens = screens;
		this.onRequest = onRequest;
	}

	acceptSignOn(request: MessageDecoder, link: ScriptedLink): void {
		link.send(buildSignOnAnswer(request));
	}

	/** The far end of this boot. */
	get line(): ScriptedLink {
		return this.#links[this.#links.length - 1];
	}

	/** Frames of all boots. */
	requests(mti: string): MessageDecoder[] {
		return this.#links.flatMap((link) => link.requests).filter((request) => request.mti === mti);
	}

	screensNamed(name: ScreenName): Screen[] {
		return this.screens.filter((screen) => screen.name === name);
	}
}
