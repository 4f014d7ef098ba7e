#pragma once
#include <stddef.h>

// Decodes a whole JPEG to RGB with libjpeg-turbo's exact DCT into memory that is used again, and does nothing else.
// Returns the number of pixels; -1 if the file is broken.
long bare_decode(const unsigned char *bytes, size_t count);
