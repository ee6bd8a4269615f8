package packtest

// Numbers that package syscall, which is frozen, does not know.
const (
	sysProcessVMReadv = 270
	sysRenameat2      = 276
	sysSeccomp        = 277
	sysSyncfs         = 267
)
