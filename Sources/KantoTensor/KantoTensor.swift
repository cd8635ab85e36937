// KantoTensor
