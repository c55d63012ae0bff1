// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Hexadecimal digits eight at a time. Words are in memory order (little endian).
#pragma once

#include "kernel.h"

#define BYTES(b) (0x0101010101010101ULL * (b))

// to_hex8 writes the four low bytes of b as eight lower-case digits.
inline_ u64 to_hex8(u32 b)
{
	u64 t = b;

	t = (t | t << 16) & 0x0000ffff0000ffffULL;
	t = (t | t << 8) & 0x00ff00ff00ff00ffULL;
	t = ((t >> 4) & BYTES(0x0f)) | ((t << 8) & 0x0f000f000f000f00ULL);
	return t + BYTES('0') + (((t + BYTES(6)) >> 4) & BYTES(1)) * 0x27;
}

// from_hex8 returns false unless w is eight lower-case digits.
inline_ bool from_hex8(u64 w, u32 *out)
{
	u64 v = (w & BYTES(0x0f)) + ((w >> 6) & BYTES(1)) * 9;
	u64 t = ((v << 4) | (v >> 8)) & 0x00ff00ff00ff00ffULL;

	t = (t | t >> 8) & 0x0000ffff0000ffffULL;
	t = (t | t >> 16) & 0xffffffffULL;
	*out = t;
	return to_hex8(t) == w;
}

inline_ bool from_hex16(const u8 *p, u64 *out)
{
	u32 a = 0, b = 0;
	bool ok = from_hex8(*(u64 *)p, &a) && from_hex8(*(u64 *)(p + 8), &b);

	*out = (u64)b << 32 | a;
	return ok;
}
