// KantoKernels
