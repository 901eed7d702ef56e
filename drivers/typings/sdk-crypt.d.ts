/** As the SDK's own typings have it; the published ones lack it. */
declare module "crypt" {
	export class Digest {
		constructor(type: "SHA256");
		write(message: string | ArrayBuffer): void;
		close(): ArrayBuffer;
	}
}
