// KantoGAN
