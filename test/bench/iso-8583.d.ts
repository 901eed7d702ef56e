/** The part of npm's iso_8583 that the bench calls; the package brings no types. Source: its lib/8583.js, 2.6.7. */
declare module "iso_8583" {
	interface FieldFormat {
		ContentType: string;
		Label: string;
		LenType: string;
		MaxLen: number;
	}

	class Message {
		/** @param message - values by field; "0" is the MTI */
		constructor(message?: Record<string, string>, customFormats?: Record<string, FieldFormat>);
		/** The frame with its 2-byte length, or what is wrong. */
		getBufferMessage(): Buffer | { error: string };
		/** Values by field, or what is wrong under "error". */
		getIsoJSON(frame: Buffer): Record<string, string>;
	}

	export = Message;
}
