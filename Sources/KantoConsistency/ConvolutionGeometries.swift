import KantoKernels

/// Geometries that the three convolution ops are tested on.
public let convolutionGeometries = filteredGeometries + otherGeometries

/// What minimal filtering serves: rests of tiles and of vectors, padding on one side, groups, kernels that are not square.
let filteredGeometries: [Convolution2D] = [
    Convolution2D(batch: 3, height: 9, width: 10, channels: 20, outputChannels: 35, kernel: (3, 3), padding: (1, 1, 1, 1)),
    Convolution2D(
        batch: 6, height: 13, width: 14, channels: 24, outputChannels: 17, kernel: (5, 5), stride: (2, 2), padding: (2, 2, 2, 2)),
    Convolution2D(
        batch: 7, height: 12, width: 11, channels: 16, outputChannels: 48, kernel: (5, 5), stride: (2, 2), padding: (1, 2, 2, 1)),
    Convolution2D(
        batch: 11, height: 10, width: 10, channels: 33, outputChannels: 16, kernel: (4, 4), stride: (2, 2), padding: (1, 1, 1, 1)),
    Convolution2D(
        batch: 5, height: 15, width: 17, channels: 64, outputChannels: 36, kernel: (6, 4), stride: (2, 2), padding: (2, 0, 3, 1),
        groups: 2),
    Convolution2D(
        batch: 4, height: 8, width: 12, channels: 32, outputChannels: 64, kernel: (2, 3), padding: (0, 1, 1, 1), groups: 2),
    Convolution2D(
        batch: 5, height: 8, width: 16, channels: 18, outputChannels: 19, kernel: (3, 5), stride: (1, 2), padding: (3, 4, 2, 5)),
]

/// Every kind of stride, padding, dilation and groups, channel counts around the widths of vectors and tiles, the layers of the
/// WGAN-GP presets at a small batch, and sizes of 0.
private let otherGeometries: [Convolution2D] = [
    // Plain, odd sizes.
    Convolution2D(batch: 1, height: 1, width: 1, channels: 1, outputChannels: 1, kernel: (1, 1)),
    Convolution2D(batch: 2, height: 5, width: 7, channels: 3, outputChannels: 5, kernel: (3, 3)),
    Convolution2D(batch: 3, height: 6, width: 5, channels: 7, outputChannels: 17, kernel: (1, 1)),
    Convolution2D(batch: 2, height: 8, width: 8, channels: 16, outputChannels: 33, kernel: (3, 3), padding: (1, 1, 1, 1)),
    Convolution2D(batch: 1, height: 9, width: 4, channels: 31, outputChannels: 15, kernel: (2, 4), padding: (1, 0, 0, 3)),
    Convolution2D(batch: 5, height: 3, width: 3, channels: 63, outputChannels: 65, kernel: (3, 3), padding: (1, 1, 1, 1)),
    Convolution2D(batch: 1, height: 1, width: 40, channels: 2, outputChannels: 64, kernel: (1, 5), padding: (0, 2, 0, 2)),
    // Strides and asymmetric padding.
    Convolution2D(
        batch: 2, height: 7, width: 7, channels: 4, outputChannels: 6, kernel: (3, 3), stride: (2, 2), padding: (1, 1, 1, 1)),
    Convolution2D(
        batch: 3, height: 8, width: 9, channels: 5, outputChannels: 16, kernel: (4, 3), stride: (2, 3), padding: (1, 0, 2, 1)),
    Convolution2D(
        batch: 2, height: 11, width: 10, channels: 17, outputChannels: 7, kernel: (5, 5), stride: (3, 2), padding: (2, 1, 1, 2)),
    Convolution2D(batch: 2, height: 9, width: 9, channels: 3, outputChannels: 4, kernel: (2, 2), stride: (3, 3)),
    Convolution2D(
        batch: 2, height: 7, width: 6, channels: 8, outputChannels: 9, kernel: (1, 1), stride: (2, 2), padding: (1, 0, 0, 1)),
    Convolution2D(batch: 2, height: 4, width: 4, channels: 3, outputChannels: 5, kernel: (3, 3), padding: (4, 3, 5, 2)),
    // Dilation.
    Convolution2D(
        batch: 2, height: 9, width: 10, channels: 5, outputChannels: 8, kernel: (3, 3), padding: (2, 2, 2, 2), dilation: (2, 2)),
    Convolution2D(
        batch: 1, height: 12, width: 11, channels: 6, outputChannels: 3, kernel: (3, 2), stride: (2, 1), padding: (3, 0, 1, 2),
        dilation: (3, 2)),
    Convolution2D(
        batch: 2, height: 10, width: 10, channels: 16, outputChannels: 16, kernel: (3, 3), stride: (2, 2), padding: (2, 2, 2, 2),
        dilation: (2, 2)),
    // Steps that have a divisor in common with the stride, and steps that have none.
    Convolution2D(
        batch: 2, height: 10, width: 13, channels: 6, outputChannels: 9, kernel: (2, 5), stride: (3, 1), padding: (0, 4, 2, 1),
        dilation: (2, 2)),
    Convolution2D(
        batch: 2, height: 12, width: 9, channels: 7, outputChannels: 5, kernel: (3, 3), stride: (2, 2), padding: (3, 2, 2, 3),
        dilation: (3, 2)),
    Convolution2D(
        batch: 1, height: 9, width: 9, channels: 5, outputChannels: 5, kernel: (3, 2), stride: (3, 2), dilation: (2, 3)),
    // Groups, depthwise too, and of more outputs than a vector or a tile has.
    Convolution2D(
        batch: 2, height: 6, width: 6, channels: 8, outputChannels: 12, kernel: (3, 3), padding: (1, 1, 1, 1), groups: 2),
    Convolution2D(
        batch: 2, height: 5, width: 6, channels: 9, outputChannels: 9, kernel: (3, 3), padding: (1, 1, 1, 1), groups: 9),
    Convolution2D(
        batch: 1, height: 7, width: 5, channels: 6, outputChannels: 18, kernel: (2, 3), stride: (2, 1), padding: (0, 1, 1, 1),
        groups: 3),
    Convolution2D(
        batch: 2, height: 8, width: 8, channels: 32, outputChannels: 48, kernel: (3, 3), stride: (1, 2), padding: (1, 2, 1, 2),
        dilation: (1, 2), groups: 2),
    Convolution2D(
        batch: 1, height: 7, width: 7, channels: 4, outputChannels: 40, kernel: (3, 3), padding: (2, 2, 2, 2), dilation: (2, 2),
        groups: 2),
    Convolution2D(batch: 1, height: 5, width: 5, channels: 12, outputChannels: 130, kernel: (2, 2), groups: 2),
    // One to four input channels, and one output channel.
    Convolution2D(
        batch: 3, height: 14, width: 14, channels: 1, outputChannels: 64, kernel: (5, 5), stride: (2, 2), padding: (2, 2, 2, 2)),
    Convolution2D(
        batch: 2, height: 16, width: 16, channels: 3, outputChannels: 48, kernel: (5, 5), stride: (2, 2), padding: (1, 1, 2, 2)),
    Convolution2D(
        batch: 2, height: 9, width: 8, channels: 4, outputChannels: 31, kernel: (4, 4), stride: (2, 2), padding: (1, 1, 1, 1)),
    Convolution2D(batch: 6, height: 4, width: 4, channels: 64, outputChannels: 1, kernel: (4, 4)),
    Convolution2D(batch: 2, height: 8, width: 8, channels: 2, outputChannels: 3, kernel: (7, 7), padding: (3, 3, 3, 3)),
    // Several blocks of positions in a sample.
    Convolution2D(batch: 2, height: 30, width: 31, channels: 2, outputChannels: 3, kernel: (3, 3), padding: (1, 1, 1, 1)),
    // The presets' layers: rows of one tile may come from the batch.
    Convolution2D(
        batch: 34, height: 7, width: 7, channels: 24, outputChannels: 32, kernel: (5, 5), stride: (2, 2), padding: (2, 2, 2, 2)),
    Convolution2D(
        batch: 17, height: 4, width: 4, channels: 64, outputChannels: 128, kernel: (4, 4), stride: (2, 2), padding: (1, 1, 1, 1)),
    Convolution2D(batch: 2, height: 8, width: 8, channels: 128, outputChannels: 96, kernel: (3, 3), padding: (1, 1, 1, 1)),
    Convolution2D(batch: 16, height: 2, width: 2, channels: 48, outputChannels: 64, kernel: (2, 2), stride: (2, 2)),
    Convolution2D(
        batch: 5, height: 7, width: 7, channels: 8, outputChannels: 20, kernel: (5, 5), stride: (2, 2), padding: (2, 2, 2, 2)),
    // Windows that lie in the padding.
    Convolution2D(
        batch: 2, height: 4, width: 12, channels: 7, outputChannels: 9, kernel: (1, 5), padding: (1, 1, 5, 1), dilation: (1, 2)),
    Convolution2D(batch: 5, height: 5, width: 9, channels: 1, outputChannels: 5, kernel: (3, 2), padding: (2, 0, 3, 2)),
    // Taps that reach nothing, inputs that no tap reaches, and nothing at all.
    Convolution2D(batch: 1, height: 1, width: 2, channels: 3, outputChannels: 4, kernel: (5, 5), padding: (2, 2, 2, 2)),
    Convolution2D(batch: 2, height: 8, width: 8, channels: 3, outputChannels: 4, kernel: (1, 1), stride: (3, 3)),
    Convolution2D(batch: 2, height: 9, width: 9, channels: 6, outputChannels: 4, kernel: (2, 1), stride: (3, 4)),
    Convolution2D(batch: 2, height: 2, width: 2, channels: 3, outputChannels: 4, kernel: (3, 3)),
    Convolution2D(batch: 0, height: 4, width: 4, channels: 3, outputChannels: 4, kernel: (3, 3)),
    Convolution2D(batch: 2, height: 4, width: 4, channels: 0, outputChannels: 4, kernel: (3, 3)),
    Convolution2D(batch: 2, height: 4, width: 4, channels: 3, outputChannels: 0, kernel: (3, 3)),
    Convolution2D(batch: 2, height: 0, width: 4, channels: 3, outputChannels: 4, kernel: (3, 3), padding: (1, 1, 1, 1)),
]
