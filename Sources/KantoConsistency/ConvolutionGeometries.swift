import KantoABI

/// Geometries that the three convolution ops are tested on: every kind of stride, padding, dilation and groups, channel
/// counts around the widths of vectors and tiles, the layers of the WGAN-GP presets at a small batch, and sizes of 0.
public let convolutionGeometries: [kanto_convolution] = [
    // Plain, odd sizes.
    convolution(1, 1, channels: 1, outputChannels: 1, kernel: (1, 1)),
    convolution(batch: 2, 5, 7, channels: 3, outputChannels: 5, kernel: (3, 3)),
    convolution(batch: 3, 6, 5, channels: 7, outputChannels: 17, kernel: (1, 1)),
    convolution(batch: 2, 8, 8, channels: 16, outputChannels: 33, kernel: (3, 3), padding: (1, 1, 1, 1)),
    convolution(batch: 1, 9, 4, channels: 31, outputChannels: 15, kernel: (2, 4), padding: (1, 0, 0, 3)),
    convolution(batch: 5, 3, 3, channels: 63, outputChannels: 65, kernel: (3, 3), padding: (1, 1, 1, 1)),
    convolution(batch: 1, 1, 40, channels: 2, outputChannels: 64, kernel: (1, 5), padding: (0, 2, 0, 2)),
    // Strides and asymmetric padding.
    convolution(batch: 2, 7, 7, channels: 4, outputChannels: 6, kernel: (3, 3), stride: (2, 2), padding: (1, 1, 1, 1)),
    convolution(batch: 3, 8, 9, channels: 5, outputChannels: 16, kernel: (4, 3), stride: (2, 3), padding: (1, 0, 2, 1)),
    convolution(
        batch: 2, 11, 10, channels: 17, outputChannels: 7, kernel: (5, 5), stride: (3, 2), padding: (2, 1, 1, 2)),
    convolution(batch: 2, 9, 9, channels: 3, outputChannels: 4, kernel: (2, 2), stride: (3, 3)),
    convolution(batch: 2, 7, 6, channels: 8, outputChannels: 9, kernel: (1, 1), stride: (2, 2), padding: (1, 0, 0, 1)),
    convolution(batch: 2, 4, 4, channels: 3, outputChannels: 5, kernel: (3, 3), padding: (4, 3, 5, 2)),
    // Dilation.
    convolution(
        batch: 2, 9, 10, channels: 5, outputChannels: 8, kernel: (3, 3), padding: (2, 2, 2, 2), dilation: (2, 2)),
    convolution(
        batch: 1, 12, 11, channels: 6, outputChannels: 3, kernel: (3, 2), stride: (2, 1), padding: (3, 0, 1, 2),
        dilation: (3, 2)),
    convolution(
        batch: 2, 10, 10, channels: 16, outputChannels: 16, kernel: (3, 3), stride: (2, 2), padding: (2, 2, 2, 2),
        dilation: (2, 2)),
    // Groups, depthwise too.
    convolution(batch: 2, 6, 6, channels: 8, outputChannels: 12, kernel: (3, 3), padding: (1, 1, 1, 1), groups: 2),
    convolution(batch: 2, 5, 6, channels: 9, outputChannels: 9, kernel: (3, 3), padding: (1, 1, 1, 1), groups: 9),
    convolution(
        batch: 1, 7, 5, channels: 6, outputChannels: 18, kernel: (2, 3), stride: (2, 1), padding: (0, 1, 1, 1),
        groups: 3),
    convolution(
        batch: 2, 8, 8, channels: 32, outputChannels: 48, kernel: (3, 3), stride: (1, 2), padding: (1, 2, 1, 2),
        dilation: (1, 2), groups: 2),
    // One to four input channels, and one output channel.
    convolution(
        batch: 3, 14, 14, channels: 1, outputChannels: 64, kernel: (5, 5), stride: (2, 2), padding: (2, 2, 2, 2)),
    convolution(
        batch: 2, 16, 16, channels: 3, outputChannels: 48, kernel: (5, 5), stride: (2, 2), padding: (1, 1, 2, 2)),
    convolution(batch: 2, 9, 8, channels: 4, outputChannels: 31, kernel: (4, 4), stride: (2, 2), padding: (1, 1, 1, 1)),
    convolution(batch: 6, 4, 4, channels: 64, outputChannels: 1, kernel: (4, 4)),
    convolution(batch: 2, 8, 8, channels: 2, outputChannels: 3, kernel: (7, 7), padding: (3, 3, 3, 3)),
    // The presets' layers: rows of one tile may come from the batch.
    convolution(
        batch: 34, 7, 7, channels: 24, outputChannels: 32, kernel: (5, 5), stride: (2, 2), padding: (2, 2, 2, 2)),
    convolution(
        batch: 17, 4, 4, channels: 64, outputChannels: 128, kernel: (4, 4), stride: (2, 2), padding: (1, 1, 1, 1)),
    convolution(batch: 2, 8, 8, channels: 128, outputChannels: 96, kernel: (3, 3), padding: (1, 1, 1, 1)),
    convolution(batch: 16, 2, 2, channels: 48, outputChannels: 64, kernel: (2, 2), stride: (2, 2)),
    // Taps that reach nothing, inputs that no tap reaches, and nothing at all.
    convolution(batch: 1, 1, 2, channels: 3, outputChannels: 4, kernel: (5, 5), padding: (2, 2, 2, 2)),
    convolution(batch: 2, 8, 8, channels: 3, outputChannels: 4, kernel: (1, 1), stride: (3, 3)),
    convolution(batch: 2, 2, 2, channels: 3, outputChannels: 4, kernel: (3, 3)),
    convolution(batch: 0, 4, 4, channels: 3, outputChannels: 4, kernel: (3, 3)),
    convolution(batch: 2, 4, 4, channels: 0, outputChannels: 4, kernel: (3, 3)),
    convolution(batch: 2, 4, 4, channels: 3, outputChannels: 0, kernel: (3, 3)),
    convolution(batch: 2, 0, 4, channels: 3, outputChannels: 4, kernel: (3, 3), padding: (1, 1, 1, 1)),
]
