/**
 * The frame that output is logged in, as the monitor writes it: 24 bytes, little-endian, then the output.
 *
 * 0 u64 seconds, 8 u32 nanoseconds, 12 u8 stream (1 stdout, 2 stderr), 13 three zero bytes, 16 u32 length, 20 u32 zero.
 *
 * @module
 */

/** Size of a frame's header in bytes. */
export const LOG_HEADER_SIZE = 24;
