// KantoData
