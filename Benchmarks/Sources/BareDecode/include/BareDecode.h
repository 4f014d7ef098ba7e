#pragma once
#include <stddef.h>

// Decodes a complete JPEG to RGB with libjpeg-turbo's exact DCT into a reused buffer.
// Returns the number of pixels, or -1 if the file is corrupt.
long bare_decode(const unsigned char *bytes, size_t count);
