/// The Wasserstein distance W1 of two sets of numbers: the area between their distribution functions (Peyré and Cuturi 2019,
/// remark 2.30), and the potential that its fluctuations follow.
struct SortedTransport {
    /// In the units of the numbers.
    private(set) var value = 0.0
    /// One a number of the first set, in the order in which they were given.
    private(set) var potentials: [Double]
    /// One a number of the second. The mean of the first less that of the second is the distance.
    private(set) var otherPotentials: [Double]

    init(_ values: [Float], _ others: [Float]) {
        var sorting = RadixSort()
        let (a, b) = (sorting.order(values), sorting.order(others))
        self.init(values, others, ordered: a, b)
    }

    /// - Parameters:
    ///   - order: places of `values` from the smallest to the largest.
    ///   - otherOrder: of `others`.
    init(_ values: [Float], _ others: [Float], ordered order: [UInt32], _ otherOrder: [UInt32]) {
        potentials = [Double](repeating: 0, count: values.count)
        otherPotentials = [Double](repeating: 0, count: others.count)
        guard !values.isEmpty, !others.isEmpty else { return }
        // The potential f has the slope −sign(F − G), so that ∫ f d(F − G) is ∫ |F − G|.
        var (i, j) = (0, 0)
        var potential = 0.0
        var last = min(values[Int(order[0])], others[Int(otherOrder[0])])
        let (share, otherShare) = (1 / Double(values.count), 1 / Double(others.count))
        while i < values.count || j < others.count {
            let takesFirst =
                j == others.count || i < values.count && values[Int(order[i])] <= others[Int(otherOrder[j])]
            let next = takesFirst ? values[Int(order[i])] : others[Int(otherOrder[j])]
            let step = Double(next) - Double(last)
            let (below, otherBelow) = (i * others.count, j * values.count)
            if below != otherBelow {
                value += abs(Double(i) * share - Double(j) * otherShare) * step
                potential += below > otherBelow ? -step : step
            }
            last = next
            if takesFirst {
                potentials[Int(order[i])] = potential
                i += 1
            } else {
                otherPotentials[Int(otherOrder[j])] = potential
                j += 1
            }
        }
    }
}

/// Sorts numbers by their bits, eleven at a time: a few milliseconds for 100,000 of them.
struct RadixSort {
    private var (keys, otherKeys): ([UInt32], [UInt32]) = ([], [])
    private var (places, otherPlaces): ([UInt32], [UInt32]) = ([], [])

    /// Places from the smallest number to the largest; equal ones stay in their order.
    mutating func order(_ values: [Float]) -> [UInt32] {
        let count = values.count
        // Ordered as unsigned numbers: the sign turned round, all bits of what is negative.
        keys = values.map { value in
            // −0 is 0.
            let bits = (value + 0).bitPattern
            return bits >> 31 == 1 ? ~bits : bits | 1 << 31
        }
        places = (0..<UInt32(count)).map { $0 }
        otherKeys = keys
        otherPlaces = places
        for shift in [UInt32(0), 11, 22] {
            var starts = [Int](repeating: 0, count: 2049)
            for key in keys { starts[Int(key >> shift & 2047) + 1] += 1 }
            for digit in 1...2048 { starts[digit] += starts[digit - 1] }
            for index in 0..<count {
                let digit = Int(keys[index] >> shift & 2047)
                otherKeys[starts[digit]] = keys[index]
                otherPlaces[starts[digit]] = places[index]
                starts[digit] += 1
            }
            swap(&keys, &otherKeys)
            swap(&places, &otherPlaces)
        }
        return places
    }
}
