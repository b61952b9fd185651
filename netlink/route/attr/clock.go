package attr

// Clock32 is a row of four bytes that counts 1/100 s (the kernel's clock_t).
func Clock32(name string, typ uint16, p **uint32) Field {
	f := Uint32(name, typ, p)
	f.Value.(*number[uint32]).equal = sameClock[uint32]
	return f
}

// Clock64 is a row of eight bytes that counts 1/100 s (the kernel's clock_t).
func Clock64(name string, typ uint16, p **uint64) Field {
	f := Uint64(name, typ, p)
	f.Value.(*number[uint64]).equal = sameClock[uint64]
	return f
}

// sameClock tells whether have is what want reads back as. The kernel keeps
// jiffies; where they are no multiple of 1/100 s, as with Debian's HZ=250, an
// odd number comes back one less:
//
//	#if (HZ % USER_HZ) ... return ((u64)x * HZ) / USER_HZ  // kernel/time/time.c, clock_t_to_jiffies
func sameClock[T uint32 | uint64](want, have T) bool {
	const hz, userHZ = 250, 100
	return have == want/2*2 && T(uint64(want)*hz/userHZ*userHZ/hz) == have
}
