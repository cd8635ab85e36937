/// A picture of 8 bits a channel: gray or red, green, blue.
public struct Picture: Equatable, Sendable {
    /// In pixels.
    public let width: Int
    /// In pixels.
    public let height: Int
    /// 1 (gray) or 3 (red, green, blue).
    public let channels: Int
    /// [height, width, channels], row-major.
    public let pixels: [UInt8]

    /// - Precondition: one or three channels, at least one pixel, and as many bytes as the sizes say.
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        precondition(channels == 1 || channels == 3, "a picture has 1 or 3 channels, not \(channels)")
        precondition(width > 0 && height > 0, "a picture has at least one pixel, not \(width)x\(height)")
        precondition(elementCount(of: [height, width, channels]) == pixels.count, "bytes do not fill the picture")
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }
}
