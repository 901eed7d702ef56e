/*
 * Random bytes for system-random.ts.
 * Source: Linux getrandom(2); ESP-IDF, "Random Number Generation" (true random while radio or bootloader entropy is on).
 */
#include "xsmc.h"
#include "xsHost.h"

#if ESP32
#include "esp_random.h"
#else
#include <errno.h>
#include <sys/random.h>
#endif

void xs_system_random_fill(xsMachine *the)
{
	void *buffer;
	xsUnsignedValue byteLength;

	xsmcGetBufferWritable(xsArg(0), &buffer, &byteLength);
#if ESP32
	esp_fill_random(buffer, byteLength);
#else
	uint8_t *bytes = buffer;
	while (byteLength > 0) {
		ssize_t count = getrandom(bytes, byteLength, 0);
		if (count < 0) {
			if (EINTR == errno) continue;
			xsUnknownError("no random bytes");
		}
		bytes += count;
		byteLength -= count;
	}
#endif
}
