import KantoKernels
import TestSupport
import Testing

@testable import KantoCommunication

/// Plugins of communicators, each of which may be wrong.
struct OpeningTests {
    private func source(
        magic: String = "KANTO_COMMUNICATOR_MAGIC", major: String = "KANTO_COMMUNICATOR_MAJOR", open: String = "return &table;",
        barrier: String = "barrier"
    ) -> String {
        """
        #include <kanto_communicator.h>
        #include <stdio.h>
        #include <stdlib.h>
        const kanto_version kanto_communicator_version = {\(magic), sizeof(kanto_version), \(major), 0, 0, "probe"};
        static kanto_status all_reduce(const kanto_communicator *c, void *v, int64_t n, uint32_t t, kanto_message *m) { return 0; }
        static kanto_status broadcast(const kanto_communicator *c, void *v, int64_t n, uint32_t r, kanto_message *m) { return 0; }
        static kanto_status gather(const kanto_communicator *c, const void *v, int64_t n, void *all, uint32_t r, kanto_message *m) {
          return 0;
        }
        static kanto_status barrier(const kanto_communicator *c, kanto_message *m) {
          snprintf(m->text, m->capacity, "rank 1 is asleep");
          return KANTO_STATUS_FAILED;
        }
        static void end(const kanto_communicator *c, int32_t code) { exit(code); }
        static kanto_communicator table = {
          .struct_size = sizeof table, .rank_count = 2, .rank = 0, .local_rank_count = 2, .name = "probe",
          .description = "a probe", .all_reduce = all_reduce, .broadcast = broadcast, .gather = gather, .barrier = \(barrier),
          .abort = end, .close = barrier};
        const kanto_communicator *kanto_communicator_open(const kanto_communicator_options *o, kanto_message *message) {
          \(open)
        }
        """
    }

    private func open(_ source: String, named name: String = "probe") throws -> Communicator {
        let folder = try TemporaryFolder()
        let library = try compileLibrary(source, to: "libKantoProbe.so", in: folder)
        return try Communicator.open(
            name, Configuration(environment: ["KANTO_COMMUNICATOR": name, "KANTO_PLUGIN_PATH": library]))
    }

    @Test func aCommunicatorSaysWhatItIs() throws {
        let communicator = try open(source())
        #expect(communicator.rankCount == 2 && communicator.isFirst && communicator.description == "a probe")
        #expect(try communicator.sums(of: [1, 2]) == [1, 2])
        let error = #expect(throws: RankError.self) { try communicator.barrier() }
        #expect(error?.description == "rank 0 of 2: rank 1 is asleep")
    }

    @Test func whatIsWrongIsSaid() throws {
        for (source, reason) in [
            (source(magic: "KANTO_ABI_MAGIC"), "wrong magic number"),
            (source(major: "7"), "made for version 7 of the communicator interface; this Kanto has version 1"),
            (source(open: #"snprintf(message->text, message->capacity, "no cable"); return NULL;"#), "refused to open: no cable"),
            (source(barrier: "NULL"), "its table is incomplete"),
        ] {
            let error = #expect(throws: KernelError.self) { try open(source) }
            #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        }
        let missing = #expect(throws: KernelError.self) { try open(source(), named: "other") }
        #expect(missing?.description.contains("no plugin of a communicator 'other'") == true)
    }

    /// It is no backend, and nobody is told that it is a bad one.
    @Test func aCommunicatorIsNotListedAmongBackends() throws {
        let folder = try TemporaryFolder()
        let library = try compileLibrary(source(), to: "libKantoProbe.so", in: folder)
        let registry = Registry(configuration: try Configuration(environment: ["KANTO_PLUGIN_PATH": folder.path + ":" + library]))
        try registry.checkNamedPlugins()
        let error = #expect(throws: KernelError.self) { try registry.backend(named: "probe") }
        #expect(error?.description.contains("libKantoProbe") == false)
    }
}

struct LaunchTests {
    private func configuration(_ environment: [String: String], cores: Int = 8) throws -> Configuration {
        try Configuration(environment: environment, coreCount: cores, machineCoreCount: 8, quota: nil)
    }

    @Test func launchersAreSeen() throws {
        let open = try configuration([
            "OMPI_COMM_WORLD_SIZE": "6", "OMPI_COMM_WORLD_RANK": "5", "OMPI_COMM_WORLD_LOCAL_SIZE": "3",
        ])
        #expect(open.communicator == "mpi" && open.launch?.rankCount == 6 && open.launch?.rank == 5)
        #expect(open.threadCount == 2)
        let other = try configuration(["PMI_SIZE": "2", "PMI_RANK": "1", "MPI_LOCALNRANKS": "2"])
        #expect(other.communicator == "mpi" && other.launch?.rank == 1 && other.threadCount == 4)
        for alone in [[:], ["PMI_SIZE": "1"], ["OMPI_COMM_WORLD_SIZE": "x"]] {
            let configuration = try configuration(alone)
            #expect(configuration.communicator == nil && configuration.launch == nil && configuration.threadCount == 8)
        }
    }

    @Test func coresAreSharedOutOnce() throws {
        // Bound to two cores by the launcher.
        let local = ["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_SIZE": "4"]
        #expect(try configuration(local, cores: 2).threadCount == 2)
        #expect(try configuration(local.merging(["KANTO_NUM_THREADS": "5"]) { $1 }).threadCount == 5)
        #expect(try configuration(local.merging(["OMPI_COMM_WORLD_LOCAL_SIZE": "20"]) { $1 }).threadCount == 1)
        let quota = try Configuration(environment: local, coreCount: 8, machineCoreCount: 8, quota: 4)
        #expect(quota.threadCount == 1)
    }

    @Test func theVariableDecides() throws {
        let launched = ["PMI_SIZE": "2"]
        #expect(try configuration(launched.merging(["KANTO_COMMUNICATOR": "none"]) { $1 }).communicator == nil)
        #expect(try configuration(launched.merging(["KANTO_COMMUNICATOR": "none"]) { $1 }).threadCount == 8)
        #expect(try configuration(["KANTO_COMMUNICATOR": "mpi"]).communicator == "mpi")
        let error = #expect(throws: KernelError.self) { try configuration(["KANTO_COMMUNICATOR": "MPI!"]) }
        #expect(error?.description.contains("KANTO_COMMUNICATOR=MPI! is not valid: expected mpi, none") == true)
    }
}
