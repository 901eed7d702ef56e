/** The SDK's SHA-256 and RSA, as `host-trust.ts` wants them. @module */

import { Digest } from "crypt";
import type { TrustPrimitives } from "drivers/tls-link/host-trust";
import PKCS1 from "pkcs1";
import RSA from "rsa";
import X509 from "x509";

export const sdkPrimitives: TrustPrimitives = Object.freeze({
	sha256(bytes: Uint8Array): Uint8Array {
		const digest = new Digest("SHA256");
		digest.write(bytes as unknown as ArrayBuffer); // It takes views as well; its typing does not say so.
		return new Uint8Array(digest.close());
	},
	rsaPublic(certificate: Uint8Array, signature: Uint8Array): Uint8Array {
		const { exponent, modulus } = X509.decodeSPKI(certificate);
		const rsa = new RSA(exponent, modulus);
		return new Uint8Array(PKCS1.I2OSP(rsa.process(PKCS1.OS2IP(signature)), rsa.modulusSize));
	},
});
