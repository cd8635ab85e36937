// The module that a training program imports: what it needs of Kanto's libraries, under one name. Whoever works with
// problems, backends' tables and memory itself imports `KantoKernels` beside it, whoever draws `KantoPictures`.

@_exported import KantoCommunication
@_exported import KantoData
@_exported import KantoDescriptions
@_exported import KantoGAN
@_exported import KantoMetrics
@_exported import KantoNN
@_exported import KantoRuns
@_exported import KantoTensor

// Of the kernels, who computes and on what; the rest is for those who write kernels.
@_exported import enum KantoKernels.Activation
@_exported import class KantoKernels.Backend
@_exported import enum KantoKernels.Diagnostics
@_exported import enum KantoKernels.ElementType
@_exported import enum KantoKernels.KernelError
@_exported import enum KantoKernels.Kernels
@_exported import enum KantoKernels.Precision
@_exported import func KantoKernels.withBackend
@_exported import func KantoKernels.withPrecision
