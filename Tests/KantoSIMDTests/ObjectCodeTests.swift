import Foundation
import KantoKernels
import Testing

/// What the compiler made of the kernels. These tests read the object files of this very build.
@Suite("Object code")
struct ObjectCodeTests {
    @Test("the microkernels make no call", arguments: InstructionSet.allCases)
    func noCalls(_ set: InstructionSet) throws {
        let kernels = try microkernels(of: set)
        for (name, lines) in kernels {
            // A call, or a jump out of the function, is followed by the relocation that says where to.
            for (line, target) in zip(lines, lines.dropFirst())
            where instruction(line).hasPrefix("call") || instruction(line).hasPrefix("j") && target.contains("_PLT") {
                // The stack protector's exit, which no sound run takes.
                #expect(target.contains("__stack_chk_fail"), "\(name) calls: \(target)")
            }
        }
        // One vector and the widest row, each with a step at a time, and four of A as it stands and packed.
        #expect(kernels.count >= 6, "\(kernels.count) specialized microkernels in \(module(of: set))")
    }

    /// A branch for each vector of an epilogue made the compiler do so: twice the instructions, 4% of a product's time.
    @Test("the microkernels do not take vectors apart", arguments: InstructionSet.allCases)
    func noLaneByLane(_ set: InstructionSet) throws {
        let perLane = [
            "vinsert", "vextract", "vpinsr", "vpextr", "vshuf", "vmovshdup", "insertps", "extractps", "pinsr", "pextr",
        ]
        let kernels = try microkernels(of: set)
        #expect(!kernels.isEmpty)
        for (name, lines) in kernels {
            let count = lines.count { line in perLane.contains(where: instruction(line).hasPrefix) }
            #expect(count <= 12, "\(name)")
        }
    }

    /// Elsewhere the variant must run on processors without it.
    @Test("the instruction for pairs of bfloat16 stands in microkernels alone")
    func pairInstruction() throws {
        let kernels = try microkernels(of: .avx512)
        let withPairs = kernels.filter { _, lines in lines.contains { instruction($0).hasPrefix("vdpbf16ps") } }
        let withNumbers = kernels.filter { _, lines in lines.contains { instruction($0).hasPrefix("vfmadd") } }
        // All rounds but one, each width of a row.
        #expect(withPairs.count >= 8 && withNumbers.count >= 8)
        #expect(withPairs.keys.allSatisfy { withNumbers[$0] == nil })
        for object in try objects(of: .avx512) {
            let listing = try output(of: "objdump", ["-d", "--no-show-raw-insn", object]).split(separator: "\n")
            var function: Substring = ""
            for line in listing {
                if line.hasSuffix(">:") { function = line }
                guard instruction(line).hasPrefix("vdpbf16ps") else { continue }
                // The last two are copies of what is inlined.
                let names = ["sumTile", "pairRounds", "InstructionPair", "kanto_pairs_add_products"]
                #expect(names.contains { function.contains($0) }, "\(function)")
            }
        }
        for set in [InstructionSet.baseline, .avx2] {
            #expect(try microkernels(of: set).values.joined().allSatisfy { !instruction($0).hasPrefix("vdpbf16ps") })
        }
    }

    /// The disassembled lines of each microkernel, with its relocations, by its symbol.
    private func microkernels(of set: InstructionSet) throws -> [String: [Substring]] {
        var kernels: [String: [Substring]] = [:]
        for object in try objects(of: set) {
            // Only the object that defines them is worth taking apart: all of them took two minutes.
            let symbols = try output(of: "nm", ["--defined-only", "--format=just-symbols", object]).split(separator: "\n")
            for symbol in symbols where isMicrokernel(symbol) {
                let listing = try output(of: "objdump", ["-r", "--no-show-raw-insn", "--disassemble=\(symbol)", object])
                kernels[String(symbol)] = listing.split(separator: "\n")
            }
        }
        return kernels
    }

    /// A disassembled line is address, instruction with operands; tabs between.
    private func instruction(_ line: Substring) -> Substring { line.split(separator: "\t").dropFirst().first ?? "" }

    /// Whether a symbol is that of a specialization of the function: its mangled name ends with how it was specialized.
    private func isMicrokernel(_ symbol: Substring) -> Bool { symbol.contains("sumTile") && symbol.hasSuffix("g5") }

    private func module(of set: InstructionSet) -> String {
        switch set {
        case .baseline: "KantoSIMDBaseline"
        case .avx2: "KantoSIMDAVX2"
        case .avx512: "KantoSIMDAVX512"
        }
    }

    private func objects(of set: InstructionSet) throws -> [String] {
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = URL(fileURLWithPath: bundle).deletingLastPathComponent().appending(path: "\(module(of: set)).build")
        let objects = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".o") }
        try #require(!objects.isEmpty, "no object files in \(folder.path)")
        return objects.map { folder.appending(path: $0).path }
    }

    private func output(of tool: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [tool] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(tool) failed; it comes with binutils")
        return String(decoding: data, as: UTF8.self)
    }
}
