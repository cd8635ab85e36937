// KantoReference
