package packtest

// Numbers that package syscall, which is frozen, does not know.
const (
	sysProcessVMReadv = 310
	sysRenameat2      = 316
	sysSeccomp        = 317
	sysSyncfs         = 306
)
