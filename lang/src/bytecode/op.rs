//! The one opcode table. Enum, encoder, disassembler, verifier and the machine's dispatch are
//! generated from it through `for_each_op!`.
//!
//! An instruction is 8 bytes, little endian: `u16` opcode and the operands `a`, `b`, `c`. A slot
//! operand is an index of an 8-byte slot of the running frame; a value of several words (string 2,
//! slice 3, interface 2, struct: its size / 8 rounded up) starts at that slot. Some instructions
//! are followed by extension words of 8 bytes, which the table lists as `[..]`.
//!
//! Value forms in slots: bool 0/1; integers sign- or zero-extended to 64 bits by their type;
//! float64 its bits; float32 its bits zero-extended; complex64 two f32 in one slot, complex128 two
//! slots; struct and array: their bytes as in memory.
//!
//! Operand roles: `d`N writes N slots, `s`N reads N slots, `u`1 reads and writes one, `dn`/`sn`
//! slots whose number is given elsewhere (the doc says), `imm` signed 16-bit, `uimm` unsigned
//! 16-bit, `jmp` signed 16-bit distance in words from the *next* instruction, `bcjmp` the same in
//! the 32 bits of b and c, `bcimm` a signed 32-bit number in b and c, `bcidx` an unsigned one, `_`
//! none. Extension words: `k` a 64-bit constant, `ty` type index, `size` bytes, `n` count, `hi_lo`
//! two u32 (high half first named), `jmp` signed distance from the instruction after the
//! extension words, `mode` see `Mode`, `id` index of a table.

/// Calls the macro `$m` with the whole table: `Name, "mnemonic", (a, b, c), [ext…], "doc";`.
#[macro_export]
macro_rules! for_each_op {
    ($m:ident) => {
        $m! {
// ---- moves and constants
Nop, "nop", (_, _, _), [], "nothing";
Mov, "mov", (d1, s1, _), [], "a = b";
Mov2, "mov2", (d2, s2, _), [], "two slots";
Mov3, "mov3", (d3, s3, _), [], "three slots";
MovN, "movn", (dn, sn, uimm), [], "c slots; ranges may overlap";
LdI, "ldi", (d1, bcimm, _), [], "a = sign-extended 32-bit number";
LdK, "ldk", (d1, _, _), [k], "a = 64-bit constant";
LdStr, "ldstr", (d2, bcidx, _), [], "a = string constant bc of `Program::strings`";
Zero, "zero", (dn, uimm, _), [], "b slots from a = 0";
// ---- integer arithmetic, 64 bits wrapping
Add, "add", (d1, s1, s1), [], "a = b + c";
Sub, "sub", (d1, s1, s1), [], "a = b - c";
Mul, "mul", (d1, s1, s1), [], "a = b * c";
AddI, "addi", (d1, s1, imm), [], "a = b + imm";
MulI, "muli", (d1, s1, imm), [], "a = b * imm";
Div, "div", (d1, s1, s1), [], "signed; c = 0 panics";
Rem, "rem", (d1, s1, s1), [], "signed; c = 0 panics";
DivU, "divu", (d1, s1, s1), [], "unsigned; c = 0 panics";
RemU, "remu", (d1, s1, s1), [], "unsigned; c = 0 panics";
And, "and", (d1, s1, s1), [], "a = b & c";
Or, "or", (d1, s1, s1), [], "a = b | c";
Xor, "xor", (d1, s1, s1), [], "a = b ^ c";
AndNot, "andnot", (d1, s1, s1), [], "a = b &^ c";
AndI, "andi", (d1, s1, uimm), [], "a = b & zero-extended imm";
Shl, "shl", (d1, s1, s1), [], "a = b << c; c unsigned, 64 or more gives 0";
Shr, "shr", (d1, s1, s1), [], "arithmetic; c unsigned, 64 or more gives the sign";
ShrU, "shru", (d1, s1, s1), [], "logical; c unsigned, 64 or more gives 0";
ShlI, "shli", (d1, s1, uimm), [], "c < 64";
ShrI, "shri", (d1, s1, uimm), [], "arithmetic, c < 64";
ShrUI, "shrui", (d1, s1, uimm), [], "logical, c < 64";
CkShift, "ckshift", (s1, _, _), [], "panic: negative shift amount, if a < 0";
Neg, "neg", (d1, s1, _), [], "a = -b";
Com, "com", (d1, s1, _), [], "a = ^b";
Sx8, "sx8", (d1, s1, _), [], "sign-extend the low 8 bits";
Sx16, "sx16", (d1, s1, _), [], "sign-extend the low 16 bits";
Sx32, "sx32", (d1, s1, _), [], "sign-extend the low 32 bits";
Zx8, "zx8", (d1, s1, _), [], "zero-extend the low 8 bits";
Zx16, "zx16", (d1, s1, _), [], "zero-extend the low 16 bits";
Zx32, "zx32", (d1, s1, _), [], "zero-extend the low 32 bits";
// ---- floating point
AddF, "addf", (d1, s1, s1), [], "float64";
SubF, "subf", (d1, s1, s1), [], "float64";
MulF, "mulf", (d1, s1, s1), [], "float64";
DivF, "divf", (d1, s1, s1), [], "float64";
NegF, "negf", (d1, s1, _), [], "float64";
SqrtF, "sqrtf", (d1, s1, _), [], "float64 square root (math.Sqrt)";
AbsF, "absf", (d1, s1, _), [], "float64 absolute value (math.Abs)";
FloorF, "floorf", (d1, s1, _), [], "float64 floor (math.Floor)";
MinF, "minf", (d1, s1, s1), [], "float64 builtin min: NaN wins, -0 < 0";
MaxF, "maxf", (d1, s1, s1), [], "float64 builtin max";
AddF32, "addf32", (d1, s1, s1), [], "float32";
SubF32, "subf32", (d1, s1, s1), [], "float32";
MulF32, "mulf32", (d1, s1, s1), [], "float32";
DivF32, "divf32", (d1, s1, s1), [], "float32";
NegF32, "negf32", (d1, s1, _), [], "float32";
AddC, "addc", (d2, s2, s2), [], "complex128";
SubC, "subc", (d2, s2, s2), [], "complex128";
MulC, "mulc", (d2, s2, s2), [], "complex128";
DivC, "divc", (d2, s2, s2), [], "complex128, Go's rules for infinities and NaN";
NegC, "negc", (d2, s2, _), [], "complex128";
// ---- conversions
IToF, "itof", (d1, s1, _), [], "int64 to float64";
UToF, "utof", (d1, s1, _), [], "uint64 to float64";
FToI, "ftoi", (d1, s1, _), [], "float64 to int64, truncating; out of range as on amd64";
FToU, "ftou", (d1, s1, _), [], "float64 to uint64";
IToF32, "itof32", (d1, s1, _), [], "int64 to float32, rounded once";
UToF32, "utof32", (d1, s1, _), [], "uint64 to float32, rounded once";
FToF32, "ftof32", (d1, s1, _), [], "float64 to float32";
F32ToF, "f32tof", (d1, s1, _), [], "float32 to float64";
C64ToC, "c64toc", (d2, s1, _), [], "complex64 to complex128";
CToC64, "ctoc64", (d1, s2, _), [], "complex128 to complex64";
// ---- comparisons to bool
Eq, "eq", (d1, s1, s1), [], "64-bit words equal";
Ne, "ne", (d1, s1, s1), [], "64-bit words differ";
Lt, "lt", (d1, s1, s1), [], "signed";
Le, "le", (d1, s1, s1), [], "signed";
LtU, "ltu", (d1, s1, s1), [], "unsigned";
LeU, "leu", (d1, s1, s1), [], "unsigned";
EqF, "eqf", (d1, s1, s1), [], "float64";
NeF, "nef", (d1, s1, s1), [], "float64";
LtF, "ltf", (d1, s1, s1), [], "float64";
LeF, "lef", (d1, s1, s1), [], "float64";
EqS, "eqs", (d1, s2, s2), [], "strings";
LtS, "lts", (d1, s2, s2), [], "strings";
LeS, "les", (d1, s2, s2), [], "strings";
EqT, "eqt", (d1, sn, sn), [ty], "values of type ty equal (struct, array, interface, complex); comparing uncomparable dynamic types panics";
NotB, "notb", (d1, s1, _), [], "a = 1 - b";
// ---- jumps
Jmp, "jmp", (_, bcjmp, _), [], "always";
JT, "jt", (s1, bcjmp, _), [], "if a is true";
JF, "jf", (s1, bcjmp, _), [], "if a is false";
JEq, "jeq", (s1, s1, jmp), [], "if a == b";
JNe, "jne", (s1, s1, jmp), [], "if a != b";
JLt, "jlt", (s1, s1, jmp), [], "if a < b, signed";
JLe, "jle", (s1, s1, jmp), [], "if a <= b, signed";
JLtU, "jltu", (s1, s1, jmp), [], "if a < b, unsigned";
JLeU, "jleu", (s1, s1, jmp), [], "if a <= b, unsigned";
JEqI, "jeqi", (s1, imm, jmp), [], "if a == imm";
JNeI, "jnei", (s1, imm, jmp), [], "if a != imm";
JLtI, "jlti", (s1, imm, jmp), [], "if a < imm, signed";
JLeI, "jlei", (s1, imm, jmp), [], "if a <= imm, signed";
JGtI, "jgti", (s1, imm, jmp), [], "if a > imm, signed";
JGeI, "jgei", (s1, imm, jmp), [], "if a >= imm, signed";
JLtF, "jltf", (s1, s1, jmp), [], "if a < b, float64";
JLeF, "jlef", (s1, s1, jmp), [], "if a <= b, float64";
JNLtF, "jnltf", (s1, s1, jmp), [], "if not a < b (so NaN jumps)";
JNLeF, "jnlef", (s1, s1, jmp), [], "if not a <= b (so NaN jumps)";
IncJLt, "incjlt", (u1, s1, jmp), [], "a += 1; if a < b, signed";
AddIJLt, "addijlt", (u1, imm, s1), [jmp], "a += imm; if a < c, signed";
JTab, "jtab", (s1, uimm, _), [n], "n = number of table words that follow, each a `jmp` relative to the end of the table; index a (unsigned) taken if < n, else falls through after the table; b unused";
// ---- memory. An address below 4096 is a nil dereference.
Ld8U, "ld8u", (d1, s1, uimm), [], "a = u8 at address b + c";
Ld8S, "ld8s", (d1, s1, uimm), [], "a = i8 at address b + c";
Ld16U, "ld16u", (d1, s1, uimm), [], "a = u16 at address b + c";
Ld16S, "ld16s", (d1, s1, uimm), [], "a = i16 at address b + c";
Ld32U, "ld32u", (d1, s1, uimm), [], "a = u32 (float32 too) at address b + c";
Ld32S, "ld32s", (d1, s1, uimm), [], "a = i32 at address b + c";
Ld64, "ld64", (d1, s1, uimm), [], "a = word at address b + c";
Ld2, "ld2", (d2, s1, uimm), [], "two words at address b + c";
Ld3, "ld3", (d3, s1, uimm), [], "three words at address b + c";
LdN, "ldn", (dn, s1, uimm), [size], "size bytes at address b + c into slots";
St8, "st8", (s1, s1, uimm), [], "byte at address a + c = b";
St16, "st16", (s1, s1, uimm), [], "16 bits at address a + c = b";
St32, "st32", (s1, s1, uimm), [], "32 bits at address a + c = b";
St64, "st64", (s1, s1, uimm), [], "word at address a + c = b";
St2, "st2", (s1, s2, uimm), [], "two words at address a + c = b";
St3, "st3", (s1, s3, uimm), [], "three words at address a + c = b";
StN, "stn", (s1, sn, uimm), [size], "size bytes at address a + c from slots b";
// Stores outside transactions whose target may be persistent: a range test whose cold path notes
// the store for the next commit.
StG8, "st8.g", (s1, s1, uimm), [], "guarded St8";
StG16, "st16.g", (s1, s1, uimm), [], "guarded St16";
StG32, "st32.g", (s1, s1, uimm), [], "guarded St32";
StG64, "st64.g", (s1, s1, uimm), [], "guarded St64";
StG2, "st2.g", (s1, s2, uimm), [], "guarded St2";
StG3, "st3.g", (s1, s3, uimm), [], "guarded St3";
StGN, "stn.g", (s1, sn, uimm), [size], "guarded StN";
MemCp, "memcp", (s1, s1, _), [size], "size bytes from address b to address a, both nil-checked; ranges may overlap; unguarded";
MemZ, "memz", (s1, _, _), [size], "size bytes at address a = 0; nil check; unguarded";
CkNil, "cknil", (s1, _, _), [], "nil dereference panic if a < 4096";
Lea, "lea", (d1, s1, uimm), [], "a = b + c after the nil check of b: address of a field";
LeaN, "lean", (d1, s1, _), [k], "a = b + k after the nil check of b";
// ---- super-instructions on fields: base pointer b, offset c
LdAddF, "ldaddf", (u1, s1, uimm), [], "a += float64 at b + c";
// ---- slices and strings by index; the bounds check uses the length at slot + 1
LdX8U, "ldx8u", (d1, s3, s1), [], "a = u8 element c of slice b (strings too)";
LdX8S, "ldx8s", (d1, s3, s1), [], "i8";
LdX16U, "ldx16u", (d1, s3, s1), [], "u16";
LdX16S, "ldx16s", (d1, s3, s1), [], "i16";
LdX32U, "ldx32u", (d1, s3, s1), [], "u32, float32";
LdX32S, "ldx32s", (d1, s3, s1), [], "i32";
LdX64, "ldx64", (d1, s3, s1), [], "64-bit element";
LdX2, "ldx2", (d2, s3, s1), [], "two-word element";
LdX3, "ldx3", (d3, s3, s1), [], "three-word element";
LdXN, "ldxn", (dn, s3, s1), [size], "element of size bytes into slots";
StX8, "stx8", (s3, s1, s1), [], "element b of slice a = c; unguarded";
StX16, "stx16", (s3, s1, s1), [], "16-bit element";
StX32, "stx32", (s3, s1, s1), [], "32-bit element";
StX64, "stx64", (s3, s1, s1), [], "64-bit element";
StXN, "stxn", (s3, s1, sn), [size], "element of size bytes from slots";
EAddr, "eaddr", (d1, s3, s1), [size], "a = address of element c of slice b, elements of size bytes";
AAddr, "aaddr", (d1, s1, s1), [n, size], "a = address of element c of the array with n elements at address b; nil check";
LdA64, "lda64", (d1, s1, s1), [n], "a = 64-bit element c of the array with n elements at address b";
StA64, "sta64", (s1, s1, s1), [n], "64-bit element b of the array at address a = c; unguarded";
LdA8U, "lda8u", (d1, s1, s1), [n], "a = u8 element c of the array with n elements at address b";
StA8, "sta8", (s1, s1, s1), [n], "8-bit element b of the array at address a = c; unguarded";
CkIdx, "ckidx", (s1, s1, _), [], "panic: index out of range [a] with length b, unless 0 <= a < b";
// ---- parts of structs and arrays that lie in slots
FLd, "fld", (d1, sn, uimm), [mode], "a = the scalar of width `mode` (see `Width`) at byte c from slot b";
FSt, "fst", (dn, s1, uimm), [mode], "the scalar at byte c from slot a = b";
FLdN, "fldn", (dn, sn, uimm), [size], "size bytes at byte c from slot b into whole slots from a (the rest of the last one is undefined)";
FStN, "fstn", (dn, sn, uimm), [size], "size bytes at byte c from slot a = the first size bytes of slots b; the bytes around them stay";
FLdX, "fldx", (dn, sn, s1), [n, size, mode], "a = element c of the array of n elements of size bytes in slots b; bounds checked; mode: `Width`";
FStX, "fstx", (dn, s1, sn), [n, size, mode], "element b of the array in slots a = c; bounds checked";
// ---- package variables
GAddr, "gaddr", (d1, bcidx, _), [], "a = address of byte bc of the globals";
LdG, "ldg", (d1, bcidx, _), [], "a = word at byte bc of the globals";
StGl, "stgl", (s1, bcidx, _), [], "word at byte bc of the globals = a";
PVar, "pvar", (d1, bcidx, _), [], "a = address of pvar bc of `Program::pvars`; its root exists";
PVarHas, "pvarhas", (d1, bcidx, _), [], "a = does the heap have the root of pvar bc? Opens the heap";
PVarMake, "pvarmake", (d1, bcidx, _), [], "make the root of pvar bc, zeroed; a = its address";
// ---- slices, strings
Slice, "slice", (d3, s3, s3), [mode, size], "a = b[lo:hi:max]; lo, hi, max in c, c+1, c+2, present by mode bits 1, 2, 4; size of an element";
SliceA, "slicea", (d3, s1, s3), [mode, size, n], "the same of the array with n elements at address b";
SliceS, "slices", (d2, s2, s3), [mode], "the same of a string";
USlice, "uslice", (d3, s1, s1), [size], "a = slice of b elements of size bytes at c, as unsafe.Slice with its panics";
UStr, "ustr", (d2, s1, s1), [], "a = string of b bytes at c, as unsafe.String with its panics";
MkSlice, "mkslice", (d3, s1, s1), [ty, mode], "a = make([]ty, b, c); ty is the element; mode 1: persistent; Go's panics for bad lengths";
Append, "append", (d3, s3, sn), [ty, n, mode, id], "a = append(b, n elements from slots c, each in whole slots); ty element; mode `Mode`; id: slot that holds the address of the destination (heap of a nil b), or 0xffff";
AppendS, "appends", (d3, s3, s3), [ty, mode, id], "a = append(b, c...); c slice or string";
App64, "app64", (d3, s3, s1), [ty], "a = append(b, c) of one 64-bit element, volatile, no pointer to persistent storage involved";
Copy, "copy", (d1, s3, s3), [ty, mode], "a = copy(b, c); c slice or string; ty element";
ClearS, "clears", (s3, _, _), [ty, mode], "zero all elements";
SToArr, "stoarr", (d1, s3, _), [n], "a = slice b as pointer to an array of n; panics if too short";
Cat, "cat", (d2, s2, s2), [], "a = b + c, strings";
CatN, "catn", (d2, sn, uimm), [], "a = c strings from slots b on";
StrNext, "strnext", (d2, s2, u1), [jmp], "range over string b: if index c >= len jump; else a = rune, a+1 = the index it starts at, c = next index";
RuneStr, "runestr", (d2, s1, _), [], "string(rune)";
BytesStr, "bytesstr", (d2, s3, _), [], "string([]byte)";
StrBytes, "strbytes", (d3, s2, _), [], "[]byte(string)";
RunesStr, "runesstr", (d2, s3, _), [], "string([]rune)";
StrRunes, "strrunes", (d3, s2, _), [], "[]rune(string)";
// ---- allocation
New, "new", (d1, bcidx, _), [], "a = fresh zeroed volatile object of type bc";
PNew, "pnew", (d1, bcidx, _), [], "a = fresh zeroed persistent object of type bc";
NewArr, "newarr", (d1, bcidx, _), [n], "a = fresh zeroed volatile array of n elements of type bc";
PNewArr, "pnewarr", (d1, bcidx, _), [n], "the same, persistent";
MkClo, "mkclo", (d1, sn, uimm), [id, ty], "a = func value of `Program::func_values` id with c captured slots from b; ty: type of the captures as a struct (for the collector)";
LdCap, "ldcap", (dn, uimm, uimm), [], "c slots from capture slot b of the running closure";
// ---- maps; ty is the map type, with key and element
MkMap, "mkmap", (d1, s1, _), [ty, mode], "a = make(map, hint b); mode 1: persistent";
MapLen, "maplen", (d1, s1, _), [], "a = len(b)";
MapGet, "mapget", (dn, s1, sn), [ty], "a = b[c] or zero";
MapGet2, "mapget2", (dn, s1, sn), [ty], "the same, and the found bool in the slot after the value";
MapSet, "mapset", (s1, sn, sn), [ty, mode], "a[b] = c; nil map panics";
MapDel, "mapdel", (s1, sn, _), [ty, mode], "delete(a, b)";
MapClear, "mapclear", (s1, _, _), [ty, mode], "clear(a)";
MapIter, "mapiter", (dn, s1, _), [], "start iterating b; a: `MAP_ITER_SLOTS` slots of state";
MapNext, "mapnext", (dn, dn, dn), [ty, jmp], "state a; key to b and value to c (0xffff: not wanted); jumps at the end";
// ---- channels; ty is the element type
MkChan, "mkchan", (d1, s1, _), [ty], "a = make(chan ty, b)";
Send, "send", (s1, sn, _), [], "a <- b; may wait";
Recv, "recv", (dn, s1, uimm), [], "a = <-b, may wait; c = 1: and in the slot after the value whether there was one";
Close, "close", (s1, _, _), [], "close(a)";
Select, "select", (d2, sn, uimm), [mode], "one of c cases: a = its index, the slot after it whether it received a value; b: two slots a case, the channel and a constant, twice the slot of the value to send (plus 1) or to receive; mode 1: a = c if none is ready, else waits; mode 2, of reflect: slot c has the number of cases, c+2 mode 0 or 1, and slots of values count from a";
ChanLen, "chanlen", (d1, s1, _), [], "a = len(b)";
ChanCap, "chancap", (d1, s1, _), [], "a = cap(b)";
// ---- interfaces
IfaceOf, "ifaceof", (d2, s1, _), [ty], "a = interface of concrete type ty, which is not stored in the word, that holds the object at b itself";
MkIface, "mkiface", (d2, sn, _), [ty], "a = interface holding b of concrete type ty; boxes in the volatile heap where needed";
Unbox, "unbox", (dn, s2, _), [ty], "a = value of type ty out of interface b, known to hold one";
AssertT, "assertt", (dn, s2, _), [ty, id], "a = b.(concrete ty); panics otherwise; id: type index of the static interface type, for the message";
AssertT2, "assertt2", (dn, s2, _), [ty], "a = value or zero, then the bool in the slot after it";
AssertI, "asserti", (d2, s2, _), [ty, id], "a = b.(interface ty); panics otherwise";
AssertI2, "asserti2", (d3, s2, _), [ty], "a = interface or nil, then the bool";
IsType, "istype", (d1, s2, _), [ty], "a = does b hold the concrete type ty?";
IsIface, "isiface", (d1, s2, _), [ty], "a = does b's dynamic type implement interface ty?";
// ---- calls. The callee's frame starts at slot a; its slots are results, then parameters. The two
// slots below are the frame's links.
Call, "call", (dn, bcidx, _), [], "function bc of `Program::funcs`";
CallV, "callv", (dn, s1, uimm), [], "func value b; nil panics; c = 1: its transaction variant";
CallI, "calli", (dn, s2, uimm), [id, mode], "method id of `Program::methods` of interface b; the data word goes to slot a + c; nil panics; mode 1: transaction variant";
CallN, "calln", (dn, bcidx, _), [], "native bc of `Program::natives`: slots as in a call";
CallR, "callr", (dn, s3, uimm), [], "function of func value b with the frame image at address b+1, whose b+2 words are results, then parameters; c = 1: its transaction variant";
TakeR, "taker", (dn, s3, _), [], "after CallR: the first b+3 words of window a back to the image at address b+1";
PutR, "putr", (dn, s3, _), [], "the first b+3 words of the image at address b+1 to slots a";
StubIn, "stubin", (uimm, bcidx, _), [], "first instruction of the code of reflect's func values, whose captures are a context, slots of results and slots of parameters: calls func value bc with the context and an image of the frame; a = 1: transaction variant";
StubOut, "stubout", (_, _, _), [], "after StubIn: the results from the image";
Ret, "ret", (_, _, _), [], "return; the results are in slots 0…";
Defer, "defer", (s1, _, _), [], "run func() value a when this frame ends";
RunDefers, "rundefers", (dn, uimm, _), [], "run this frame's deferred functions, each in a frame at slot a; b = 1: transaction variants";
Panic, "panic", (s2, _, _), [], "panic(interface a)";
Recover, "recover", (d2, _, _), [], "a = recover()";
Go, "go", (s1, _, _), [], "start func() value a as a goroutine";
Trap, "trap", (uimm, _, _), [], "run-time error a of `TrapKind`";
Print, "print", (sn, uimm, _), [], "print slot a to standard error as `PrintKind` b";
// ---- persistence
TxnBegin, "txn.begin", (uimm, _, _), [], "open a transaction or savepoint; bit 0: sync, bit 1: async";
TxnCommit, "txn.commit", (_, _, _), [], "commit the innermost one of this frame";
Log, "log", (s1, uimm, uimm), [], "c bytes at address a + b, known persistent, will be stored to: save them in the undo list";
LogN, "logn", (s1, _, _), [size], "size bytes at address a";
LogCk, "log.ck", (s1, uimm, uimm), [], "Log, if the address is persistent";
LogCkN, "logn.ck", (s1, _, _), [size], "LogN, if the address is persistent";
PVal, "pval", (un, s1, _), [ty, mode], "value a of type ty is about to be stored at address b: copy its strings and boxed interface values to the persistent heap, panic for volatile pointers (message from `Function::store_notes`); mode 0: b is known persistent, 1: only if b is";
Persist, "persist", (dn, sn, _), [ty], "a = deep persistent copy of b";
PRoot, "proot", (d1, s2, _), [ty], "a = address of the root named b of type ty, made zeroed if it is not there";
PLookup, "plookup", (d2, s2, _), [ty], "a = address of the root named b or nil, then the bool";
        }
    };
}

macro_rules! define_ops {
    ($($name:ident, $mn:literal, ($a:tt, $b:tt, $c:tt), [$($ext:ident),*], $doc:literal;)*) => {
        /// An opcode; see the table.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub enum Op { $(#[doc = $doc] $name,)* }

        /// What the table says of one opcode.
        pub struct OpInfo {
            pub op: Op,
            pub mnemonic: &'static str,
            /// Roles of a, b, c.
            pub operands: [&'static str; 3],
            /// Roles of the extension words.
            pub ext: &'static [&'static str],
            pub doc: &'static str,
        }

        /// The table, by opcode number.
        pub const OPS: &[OpInfo] = &[$(OpInfo {
            op: Op::$name,
            mnemonic: $mn,
            operands: [stringify!($a), stringify!($b), stringify!($c)],
            ext: &[$(stringify!($ext)),*],
            doc: $doc,
        },)*];
    };
}
for_each_op!(define_ops);

impl Op {
    pub fn info(self) -> &'static OpInfo {
        &OPS[self as usize]
    }
    pub fn from_u16(n: u16) -> Option<Op> {
        OPS.get(n as usize).map(|i| i.op)
    }
    /// Words of the instruction: 1 and its extension (a `JTab`'s table comes on top).
    pub fn len_words(self) -> usize {
        1 + self.info().ext.len()
    }
}

/// Builds an instruction word.
pub fn encode(op: Op, a: u16, b: u16, c: u16) -> u64 {
    op as u64 | (a as u64) << 16 | (b as u64) << 32 | (c as u64) << 48
}

/// Builds an instruction word whose b and c are one 32-bit number.
pub fn encode_bc(op: Op, a: u16, bc: u32) -> u64 {
    op as u64 | (a as u64) << 16 | (bc as u64) << 32
}

/// Slots of state that `MapIter` and `MapNext` use.
pub const MAP_ITER_SLOTS: u32 = 4;

/// How a builtin that stores treats its target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Mode {
    /// The target is volatile; nothing to do.
    Volatile = 0,
    /// Outside a transaction, the target may be persistent: test, note.
    Guard = 1,
    /// In a transaction, the target may be persistent: test, log.
    LogCk = 2,
    /// In a transaction, the target is persistent: log.
    Log = 3,
    /// Outside a transaction, the target is persistent (a nil one too: allocate there): note.
    GuardP = 4,
}

/// Width of a scalar that lies inside slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Width {
    U8 = 0,
    I8,
    U16,
    I16,
    U32,
    I32,
    W64,
    /// Copy `size` bytes (array elements and parts of structs that are not scalars).
    Bytes,
}

/// Run-time errors that compiled code raises itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum TrapKind {
    NilDeref = 0,
    DivideByZero,
    /// Control reached what the checker proved unreachable.
    Unreachable,
}

/// How the predeclared `print` writes one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum PrintKind {
    Bool = 0,
    Int,
    Uint,
    Float,
    Complex,
    String,
    /// Also maps, chans, funcs.
    Pointer,
    Slice,
    Interface,
    Space,
    Newline,
    Float32,
}
