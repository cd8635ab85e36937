import KantoABI

/// The function of an elementwise op, a reduction, an optimizer step or a random fill; `kanto_functions.h` defines each and
/// says in its table what there is to know of it.
public enum Function: UInt32, Sendable, CaseIterable {
    case copy = 1, fill, affine, absolute, sign, square, sqrt, reciprocal, exp, log, tanh, sigmoid, leakyReLU
    case expMinusOne, logOnePlus, erf, softplus
    case add = 32, subtract, multiply, divide, divideOrZero, maximum, minimum, addScaled, greater, leakyReLUGradient
    case select = 48, multiplyAdd, normalize
    case sum = 64, reduceMaximum, reduceMinimum, sumOfSquares, maximumMagnitude, sumOfProducts
    case adam = 96, momentum, rmsProp
    case uniform = 112, normal
}

extension Function {
    /// Its row of the table.
    package var info: kanto_function_info {
        var index = 0
        while let row = kanto_function_at(index) {
            if row.pointee.function == rawValue { return row.pointee }
            index += 1
        }
        preconditionFailure("function \(rawValue) is missing in the table of kanto_functions.h")
    }

    /// The functions of an elementwise op, a reduction, an optimizer step or a random fill; none of the others.
    package static func all(of op: Op) -> [Function] { allCases.filter { $0.info.op == op.rawValue } }

    /// Whether `Problem.raw.parameter` is its slope.
    var hasSlope: Bool { info.has(KANTO_TRAIT_PARAMETER) }
}

extension Function: CustomStringConvertible {
    public var description: String { String(cString: info.name) }
}

extension kanto_function_info {
    package func has(_ trait: Int) -> Bool { traits & UInt32(trait) != 0 }
}

extension Problem {
    /// What there is to know of the function; `nil` for an op that has none, and for one that is unknown.
    package var functionInfo: kanto_function_info? { kanto_find_function(raw.op, raw.function)?.pointee }

    /// The inputs of an op of a loop nest; those of its first function where none is given.
    package static func inputCount(_ op: Op, _ function: Function?) -> Int {
        // Statistics have no function.
        (function ?? Function.all(of: op).first).map { Int($0.info.input_count) } ?? 1
    }
}
