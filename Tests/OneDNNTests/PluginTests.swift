import Glibc
import KantoABI
import KantoConsistency
import KantoKernels
import Testing

/// The plugin, as the registry finds it.
func plugin() throws -> Backend { try Registry.shared().backend(named: "onednn") }

/// What the plugin says and offers; that it computes what it serves is the consistency suite's affair.
@Suite struct PluginTests {
    @Test func versionIsData() throws {
        guard case .plugin(let path) = try plugin().origin else {
            Issue.record("onednn is no plugin")
            return
        }
        let library = try #require(dlopen(path, RTLD_NOW | RTLD_LOCAL))
        let version = try #require(dlsym(library, KANTO_PLUGIN_VERSION_SYMBOL)).load(as: kanto_version.self)
        #expect(version.magic == 0x4542_5F4F_544E_414B)
        #expect(version.major == KANTO_ABI_MAJOR)
        #expect(version.minor == KANTO_ABI_MINOR)
        #expect(version.struct_size == UInt32(MemoryLayout<kanto_version>.size))
        let name = withUnsafeBytes(of: version.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        #expect(name == "onednn")
    }

    @Test func offersMatmulAndConvolutionInFloat32() throws {
        let plugin = try plugin()
        #expect(plugin.summary.hasPrefix("oneDNN "))
        #expect(Op.allCases.filter { plugin.offers($0, .float32) } == [.matmul] + convolutionOps)
        #expect(Op.allCases.filter { plugin.offers($0, .float64) } == [])
    }

    @Test func declinesWithReasonWhatItDoesNotKnow() throws {
        let plugin = try plugin()
        func reason(_ change: (inout kanto_problem) -> Void) -> String {
            var problem = Problem.matmul(m: 2, n: 2, k: 2).raw
            change(&problem)
            do throws(RunFailure) {
                _ = try MadeKernel(problem, on: plugin.table, host: ThreadHost(threadCount: 1))
                return "made"
            } catch .declined(let reason) {
                return reason
            } catch {
                return "\(error)"
            }
        }
        #expect(reason { $0.flags |= 1 << 20 } == "the oneDNN plugin does not know flags 0x100000 of op 1")
        #expect(reason { $0.activation = 77 } == "the oneDNN plugin does not know activation 77")
        #expect(reason { $0.function = 5 } == "the oneDNN plugin does not know function 5 of op 1")
        #expect(reason { $0.op = UInt32(KANTO_OP_REDUCE) } == "the oneDNN plugin does not offer op 8")
        #expect(reason { $0.dtype = UInt32(KANTO_DTYPE_F64) } == "the oneDNN plugin computes in float32 only")
        #expect(reason { $0.output_dtype = UInt32(KANTO_DTYPE_F64) } == "the oneDNN plugin computes in float32 only")
        #expect(reason { $0.precision = 2 } == "the oneDNN plugin has products of precision float32 only")
        let derivative = UInt32(KANTO_FLAG_DERIVATIVE)
        #expect(reason { $0.flags |= derivative } == "the derivative of no activation is asked for")
        #expect(
            reason {
                $0.flags |= derivative | UInt32(KANTO_FLAG_BIAS)
                $0.activation = UInt32(KANTO_ACTIVATION_TANH)
            } == "a derivative is not taken together with a bias")
        #expect(
            reason {
                $0.flags |= derivative
                $0.activation = UInt32(KANTO_ACTIVATION_LEAKY_RELU)
                $0.parameter = -0.5
            } == "the derivative of a leaky ReLU of negative slope -0.5 cannot be told from its output")
        // Rows that overlap are oneDNN's to refuse.
        #expect(reason { $0.matmul.row_stride_c = 1 }.hasSuffix(": invalid_arguments"))
    }
}
