// KantoNN
