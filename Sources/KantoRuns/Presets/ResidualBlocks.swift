import KantoNN

// The blocks of the original code's residual networks. A convolution in a block is drawn for the ReLU before it, those of a
// shortcut and at the ends of a network are not, as there.

/// Layers of several kinds, as a network's description lists them.
func layerDescriptions(_ kinds: any LayerKind...) -> [LayerDescription] { kinds.map { LayerDescription($0) } }

/// Two convolutions of 3x3 with what stands before them, beside a shortcut.
struct ResidualBlock {
    /// What a block does to its pictures' size.
    enum Resampling { case none, up, down }

    var channels: (from: Int, to: Int)
    var resampling = Resampling.none
    /// Before each convolution and its activation; nil for none.
    var normalization: (any LayerKind)?
    /// Of the first convolution. What a normalization takes away again it need not have.
    var hasFirstBias = true
    /// Whether the first convolution already has the block's number of outputs, or the second one only.
    var widensFirst = true

    var layer: LayerDescription {
        let middle = widensFirst ? channels.to : channels.from
        let activation = (normalization.map { layerDescriptions($0) } ?? []) + layerDescriptions(ReLU())
        let up = resampling == .up ? layerDescriptions(Upsample()) : []
        let down = resampling == .down ? layerDescriptions(AveragePool()) : []
        let first = Conv2D.Description(middle, kernel: 3, padding: .same, hasBias: hasFirstBias)
        let second = Conv2D.Description(channels.to, kernel: 3, padding: .same)
        let changes = resampling != .none || channels.from != channels.to
        let shortcut = layerDescriptions(Conv2D.Description(channels.to, kernel: 1, initializer: .glorot))
        return LayerDescription(
            Residual.Description(
                main: activation + up + layerDescriptions(first) + activation + layerDescriptions(second) + down,
                shortcut: changes ? up + shortcut + down : []))
    }
}
