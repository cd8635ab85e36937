// The module that a user imports: all of Kanto's libraries under one name.

@_exported import KantoData
@_exported import KantoGAN
@_exported import KantoKernels
@_exported import KantoNN
@_exported import KantoTensor
