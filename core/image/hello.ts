/**
 * The program of the built-in image `hello`, made here byte by byte: a static ELF file of 1,500 bytes.
 *
 * It walks a table of lines. Each has a text to print and, maybe, a place in /proc to read: a file or the target of a
 * link. So what it says of its container is what the kernel says, not what we hope.
 *
 * @module
 */

/** A machine the program exists for. */
export type HelloArchitecture = "amd64" | "arm64";

/** One line of the greeting. */
interface Line {
  text: string;
  /** Read after the text: the content of a file, or where a link leads. */
  shows?: { kind: "file" | "link"; path: string };
}

const GREETING: Line[] = [
  {
    text: `
Hello from dhow!

This is a program of 1,500 bytes that dhow made itself, in a container that was
started without a daemon. What isolates it, in the kernel's own words:

    process id           `,
    shows: { kind: "link", path: "/proc/self" },
  },
  {
    text: "\n    host name            ",
    shows: { kind: "file", path: "/proc/sys/kernel/hostname" },
  },
  { text: "    processes            ", shows: { kind: "link", path: "/proc/self/ns/pid" } },
  { text: "\n    mounts               ", shows: { kind: "link", path: "/proc/self/ns/mnt" } },
  { text: "\n    network              ", shows: { kind: "link", path: "/proc/self/ns/net" } },
  { text: "\n    host and domain name ", shows: { kind: "link", path: "/proc/self/ns/uts" } },
  { text: "\n    shared memory        ", shows: { kind: "link", path: "/proc/self/ns/ipc" } },
  { text: "\n    control groups       ", shows: { kind: "link", path: "/proc/self/ns/cgroup" } },
  { text: "\n    users                ", shows: { kind: "link", path: "/proc/self/ns/user" } },
  {
    text: "\n\n    user ids in here, which they are outside, and how many:\n",
    shows: { kind: "file", path: "/proc/self/uid_map" },
  },
  {
    text: `
A namespace of the same number is shared, another number is a world of its own:
compare with \`ls -l /proc/self/ns\` outside.

Next, a whole system of your own:
    dhow import ROOTFS.tar debian
    dhow run -it debian bash

`,
  },
];

// Byte code and what it says. The table follows it; a line of the table is 24 bytes:
// address of the text (8), its length (4), kind 0 file or 1 link (4), address of the path or 0 (8).
const X86_64 = `
  ; _start
  4881ec00100000   ; sub rsp,0x1000
  4989e5           ; mov r13,rsp
  4c8d257f000000   ; lea r12,[rip+0x7f]
  ; next
  418b542408       ; mov edx,DWORD PTR [r12+0x8]
  85d2             ; test edx,edx
  745f             ; je done
  498b3424         ; mov rsi,QWORD PTR [r12]
  e85f000000       ; call print
  498b742410       ; mov rsi,QWORD PTR [r12+0x10]
  4885f6           ; test rsi,rsi
  7446             ; je advance
  41807c240c01     ; cmp BYTE PTR [r12+0xc],0x1
  741c             ; je link
  4889f7           ; mov rdi,rsi
  31f6             ; xor esi,esi
  b802000000       ; mov eax,0x2
  0f05             ; syscall
  89c7             ; mov edi,eax
  4c89ee           ; mov rsi,r13
  ba00100000       ; mov edx,0x1000
  31c0             ; xor eax,eax
  0f05             ; syscall
  eb12             ; jmp show
  ; link
  4889f7           ; mov rdi,rsi
  4c89ee           ; mov rsi,r13
  ba00100000       ; mov edx,0x1000
  b859000000       ; mov eax,0x59
  0f05             ; syscall
  ; show
  4885c0           ; test rax,rax
  7e0b             ; jle advance
  4889c2           ; mov rdx,rax
  4c89ee           ; mov rsi,r13
  e80f000000       ; call print
  ; advance
  4983c418         ; add r12,0x18
  eb98             ; jmp next
  ; done
  31ff             ; xor edi,edi
  b83c000000       ; mov eax,0x3c
  0f05             ; syscall
  ; print
  bf01000000       ; mov edi,0x1
  b801000000       ; mov eax,0x1
  0f05             ; syscall
  c3               ; ret
  90               ; nop
`;

const AARCH64 = `
  ; _start
  ff0740d1         ; sub sp, sp, #0x1, lsl #12
  f4030091         ; mov x20, sp
  d3040010         ; adr x19, table
  ; next
  620a40b9         ; ldr w2, [x19, #8]
  82030034         ; cbz w2, done
  610240f9         ; ldr x1, [x19]
  1d000094         ; bl print
  610a40f9         ; ldr x1, [x19, #16]
  c10200b4         ; cbz x1, advance
  69324039         ; ldrb w9, [x19, #12]
  3f050071         ; cmp w9, #0x1
  600c8092         ; mov x0, #0xffffffffffffff9c
  20010054         ; b.eq link
  020080d2         ; mov x2, #0x0
  080780d2         ; mov x8, #0x38
  010000d4         ; svc #0x0
  e10314aa         ; mov x1, x20
  020082d2         ; mov x2, #0x1000
  e80780d2         ; mov x8, #0x3f
  010000d4         ; svc #0x0
  05000014         ; b show
  ; link
  e20314aa         ; mov x2, x20
  030082d2         ; mov x3, #0x1000
  c80980d2         ; mov x8, #0x4e
  010000d4         ; svc #0x0
  ; show
  1f0000f1         ; cmp x0, #0x0
  8d000054         ; b.le advance
  e20300aa         ; mov x2, x0
  e10314aa         ; mov x1, x20
  06000094         ; bl print
  ; advance
  73620091         ; add x19, x19, #0x18
  e4ffff17         ; b next
  ; done
  000080d2         ; mov x0, #0x0
  a80b80d2         ; mov x8, #0x5d
  010000d4         ; svc #0x0
  ; print
  200080d2         ; mov x0, #0x1
  080880d2         ; mov x8, #0x40
  010000d4         ; svc #0x0
  c0035fd6         ; ret
  1f2003d5         ; nop
`;

const BASE = 0x400000;
const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const LINE_BYTES = 24;

/**
 * Makes the program.
 *
 * @returns A static ELF executable.
 * @see https://man7.org/linux/man-pages/man5/elf.5.html
 */
export function buildHello(architecture: HelloArchitecture): Uint8Array<ArrayBuffer> {
  const code = parseCode(architecture === "amd64" ? X86_64 : AARCH64);
  const entry = EHDR_BYTES + 2 * PHDR_BYTES;
  const data = layOutGreeting(entry + code.length);
  const file = new Uint8Array(entry + code.length + data.length);
  file.set(elfHeader(architecture, entry));
  // Loaded whole, for reading and running; then: a stack that is not executable.
  file.set(programHeader({ type: 1, flags: 5, size: file.length, align: 0x10000 }), EHDR_BYTES);
  const stack = programHeader({ type: 0x6474e551, flags: 6, size: 0, align: 16 });
  file.set(stack, EHDR_BYTES + PHDR_BYTES);
  file.set(code, entry);
  file.set(data, entry + code.length);
  return file;
}

function parseCode(listing: string): Uint8Array<ArrayBuffer> {
  const hex = listing.split("\n").map((line) => line.replace(/;.*/, "").trim()).join("");
  return Uint8Array.fromHex(hex);
}

/** The table, and behind it its strings. @param at Offset of the table in the file. */
function layOutGreeting(at: number): Uint8Array<ArrayBuffer> {
  const strings: number[] = [];
  const encoder = new TextEncoder();
  const stringsAt = BASE + at + (GREETING.length + 1) * LINE_BYTES;
  const place = (bytes: Uint8Array): bigint => {
    const address = stringsAt + strings.length;
    strings.push(...bytes);
    return BigInt(address);
  };
  const table = new DataView(new ArrayBuffer((GREETING.length + 1) * LINE_BYTES));
  for (const [index, { text, shows }] of GREETING.entries()) {
    const line = index * LINE_BYTES;
    const bytes = encoder.encode(text);
    table.setBigUint64(line, place(bytes), true);
    table.setUint32(line + 8, bytes.length, true);
    table.setUint32(line + 12, shows?.kind === "link" ? 1 : 0, true);
    const path = shows === undefined ? 0n : place(encoder.encode(shows.path + "\0"));
    table.setBigUint64(line + 16, path, true);
  }
  return Uint8Array.from([...new Uint8Array(table.buffer), ...strings]);
}

function elfHeader(architecture: HelloArchitecture, entry: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(EHDR_BYTES));
  header.setUint32(0, 0x7f454c46);
  header.setUint32(4, 0x02010100); // 64-bit, little-endian, version 1
  header.setUint16(16, 2, true); // ET_EXEC
  header.setUint16(18, architecture === "amd64" ? 62 : 183, true);
  header.setUint32(20, 1, true);
  header.setBigUint64(24, BigInt(BASE + entry), true);
  header.setBigUint64(32, BigInt(EHDR_BYTES), true);
  header.setUint16(52, EHDR_BYTES, true);
  header.setUint16(54, PHDR_BYTES, true);
  header.setUint16(56, 2, true);
  header.setUint16(58, 64, true);
  return new Uint8Array(header.buffer);
}

function programHeader(
  segment: { type: number; flags: number; size: number; align: number },
): Uint8Array {
  const header = new DataView(new ArrayBuffer(PHDR_BYTES));
  header.setUint32(0, segment.type, true);
  header.setUint32(4, segment.flags, true);
  const address = segment.size > 0 ? BigInt(BASE) : 0n;
  header.setBigUint64(16, address, true);
  header.setBigUint64(24, address, true);
  header.setBigUint64(32, BigInt(segment.size), true);
  header.setBigUint64(40, BigInt(segment.size), true);
  header.setBigUint64(48, BigInt(segment.align), true);
  return new Uint8Array(header.buffer);
}
