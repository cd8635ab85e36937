import Testing

@testable import KantoKernels

@Suite struct ConfigurationTests {
    private func configuration(
        _ environment: [String: String], supported: [InstructionSet] = [.baseline, .avx2], quota: Double? = nil,
        isSetUserID: Bool = false
    ) throws -> Configuration {
        try Configuration(
            environment: environment, supported: { supported.contains($0) }, coreCount: 6, quota: quota,
            isSetUserID: isSetUserID)
    }

    private func complaint(_ environment: [String: String]) -> String {
        do {
            let configuration = try configuration(environment)
            return "accepted: \(configuration)"
        } catch let error as KernelError {
            guard case .configuration(let text) = error else { return "another error: \(error)" }
            #expect(error.description == text)
            return text
        } catch { return "another type of error: \(error)" }
    }

    @Test func defaults() throws {
        let configuration = try configuration(["PATH": "/bin", "KANTO": "x"])
        #expect(configuration.backends == ["auto"])
        #expect(!configuration.isStrict)
        #expect(configuration.instructionSet == .avx2)
        #expect(configuration.pluginPaths == [])
        #expect(configuration.threadCount == 6)
        #expect(configuration.verbosity == 0)
        #expect(configuration.tuning == .cache && configuration.tuningFolder == nil)
    }

    @Test(arguments: [
        "KANTO_BACKEND", "KANTO_STRICT", "KANTO_ISA", "KANTO_PLUGIN_PATH", "KANTO_NUM_THREADS", "KANTO_VERBOSE",
        "KANTO_TUNING",
    ])
    func emptyIsUnset(variable: String) throws {
        #expect(try configuration([variable: ""]) == configuration([:]))
    }

    @Test(arguments: [
        ("auto", ["auto"]), ("simd", ["simd"]), ("onednn,simd", ["onednn", "simd"]), (" a , b-2 ", ["a", "b-2"]),
    ])
    func backendLists(text: String, names: [String]) throws {
        #expect(try configuration(["KANTO_BACKEND": text]).backends == names)
    }

    @Test(arguments: [",", "simd,", ",simd", "a,,b", " ", "auto,simd", "simd,auto"])
    func malformedBackendLists(text: String) {
        #expect(
            complaint(["KANTO_BACKEND": text])
                == "KANTO_BACKEND=\(text) is not valid: expected auto, a backend's name, or names with commas between")
    }

    @Test func strict() throws {
        #expect(try configuration(["KANTO_STRICT": "1"]).isStrict)
        #expect(try !configuration(["KANTO_STRICT": "0"]).isStrict)
        for text in ["2", "yes", "true", " 1"] {
            #expect(complaint(["KANTO_STRICT": text]) == "KANTO_STRICT=\(text) is not valid: expected 0 or 1")
        }
    }

    @Test func instructionSets() throws {
        #expect(try configuration(["KANTO_ISA": "baseline"]).instructionSet == .baseline)
        #expect(try configuration(["KANTO_ISA": "avx2"]).instructionSet == .avx2)
        #expect(try configuration([:], supported: [.baseline]).instructionSet == .baseline)
        #expect(
            complaint(["KANTO_ISA": "avx512"])
                == "KANTO_ISA=avx512: this processor or operating system lacks it; available: baseline, avx2")
        #expect(
            complaint(["KANTO_ISA": "AVX2"]) == "KANTO_ISA=AVX2 is not valid: expected one of baseline, avx2, avx512")
    }

    @Test func pluginPaths() throws {
        let environment = ["KANTO_PLUGIN_PATH": ":/a/b::c.so:"]
        #expect(try configuration(environment).pluginPaths == ["/a/b", "c.so"])
        #expect(try configuration(environment, isSetUserID: true).pluginPaths == [])
    }

    @Test func threadCounts() throws {
        #expect(try configuration(["KANTO_NUM_THREADS": "1"]).threadCount == 1)
        #expect(try configuration(["KANTO_NUM_THREADS": "1024"]).threadCount == 1024)
        for text in ["0", "-1", "1025", "two", "2.0", "99999999999999999999", " 2"] {
            #expect(
                complaint(["KANTO_NUM_THREADS": text])
                    == "KANTO_NUM_THREADS=\(text) is not valid: expected a whole number from 1 to 1024")
        }
    }

    @Test(arguments: [(nil, 6), (0.1, 1), (1, 1), (1.5, 2), (2.01, 3), (6, 6), (64, 6), (1e300, 6)] as [(Double?, Int)])
    func aQuotaBoundsTheDefaultThreadCount(quota: Double?, count: Int) throws {
        #expect(try configuration([:], quota: quota).threadCount == count)
        #expect(try configuration([:], quota: quota).warnings == [])
        // What is asked for is had.
        #expect(try configuration(["KANTO_NUM_THREADS": "5"], quota: quota).threadCount == 5)
    }

    @Test func moreThreadsThanCoresAreSaid() throws {
        #expect(try configuration(["KANTO_NUM_THREADS": "6"]).warnings == [])
        #expect(
            try configuration(["KANTO_NUM_THREADS": "7"]).warnings == [
                "KANTO_NUM_THREADS=7 is more than there are cores: this process may run on 6, and threads wait for each other",
            ])
        #expect(try configuration(["KANTO_NUM_THREADS": "2"], quota: 1.5).warnings == [])
        #expect(
            try configuration(["KANTO_NUM_THREADS": "3"], quota: 1.5).warnings == [
                "KANTO_NUM_THREADS=3 is more than there are cores: its control group grants this process 1.5 of 6 cores, and "
                    + "threads wait for each other",
            ])
    }

    @Test func precision() throws {
        #expect(try configuration([:]).precision == .float32)
        for precision in Precision.allCases {
            #expect(try configuration(["KANTO_PRECISION": "\(precision)"]).precision == precision)
        }
        #expect(complaint(["KANTO_PRECISION": "f16"]) == "KANTO_PRECISION=f16 is not valid: expected float32, relaxed, bfloat16")
    }

    @Test func tuning() throws {
        for value in Configuration.Tuning.allCases {
            #expect(try configuration(["KANTO_TUNING": value.rawValue]).tuning == value)
        }
        for text in ["on", "0", "Cache", "off "] {
            #expect(complaint(["KANTO_TUNING": text]) == "KANTO_TUNING=\(text) is not valid: expected off, cache or tune")
        }
    }

    @Test func verbosity() throws {
        for value in 0...2 { #expect(try configuration(["KANTO_VERBOSE": "\(value)"]).verbosity == value) }
        for text in ["3", "-1", "on"] {
            #expect(complaint(["KANTO_VERBOSE": text]) == "KANTO_VERBOSE=\(text) is not valid: expected 0, 1 or 2")
        }
    }
}
