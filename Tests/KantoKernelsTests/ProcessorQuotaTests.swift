import Testing

@testable import KantoKernels

/// Control groups as the files of the system describe them.
@Suite struct ProcessorQuotaTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let groups: String
        let mounts: String
        let files: [String: String]
        let quota: Double?

        init(_ name: String, groups: String, mounts: String, _ files: [String: String], quota: Double?) {
            (testDescription, self.groups, self.mounts, self.files, self.quota) = (name, groups, mounts, files, quota)
        }
    }

    private static let two = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let one = """
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:3 - cgroup cgroup rw,cpu,cpuacct
        33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset

        """

    static let cases = [
        Case("two: none", groups: "0::/\n", mounts: two, [:], quota: nil),
        Case("two: max", groups: "0::/a\n", mounts: two, ["/sys/fs/cgroup/a/cpu.max": "max 100000\n"], quota: nil),
        Case("two: one core", groups: "0::/a\n", mounts: two, ["/sys/fs/cgroup/a/cpu.max": "100000 100000\n"], quota: 1),
        Case("two: at the root", groups: "0::/\n", mounts: two, ["/sys/fs/cgroup/cpu.max": "50000 100000\n"], quota: 0.5),
        Case(
            "two: a grandparent's", groups: "0::/a/b/c\n", mounts: two,
            ["/sys/fs/cgroup/a/cpu.max": "150000 100000\n", "/sys/fs/cgroup/a/b/c/cpu.max": "max 100000\n"], quota: 1.5),
        Case(
            "two: the least counts", groups: "0::/a/b\n", mounts: two,
            ["/sys/fs/cgroup/a/cpu.max": "400000 100000\n", "/sys/fs/cgroup/a/b/cpu.max": "20000 10000\n"], quota: 2),
        Case(
            "two: another's group is not asked", groups: "0::/a\n", mounts: two,
            ["/sys/fs/cgroup/b/cpu.max": "100000 100000\n"], quota: nil),
        Case(
            "two: below a container's root", groups: "0::/docker/1f/a\n",
            mounts: "29 23 0:26 /docker/1f /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
            ["/sys/fs/cgroup/a/cpu.max": "100000 100000\n"], quota: 1),
        Case(
            "two: a container that sees another path than it has", groups: "0::/../../x\n", mounts: two,
            ["/sys/fs/cgroup/cpu.max": "300000 100000\n"], quota: 3),
        Case(
            "two: a folder with a space", groups: "0::/a\n",
            mounts: "29 23 0:26 / /mnt/my\\040groups rw - cgroup2 none rw\n",
            ["/mnt/my groups/a/cpu.max": "100000 100000\n"], quota: 1),
        Case(
            "one", groups: "3:cpuset:/x\n2:cpu,cpuacct:/a\n", mounts: one,
            [
                "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "50000\n",
                "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
                "/sys/fs/cgroup/cpuset/x/cpu.cfs_quota_us": "1\n", "/sys/fs/cgroup/cpuset/x/cpu.cfs_period_us": "100000\n",
            ], quota: 0.5),
        Case(
            "one: none, below a parent's", groups: "2:cpu,cpuacct:/a/b\n", mounts: one,
            [
                "/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us": "-1\n",
                "/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us": "100000\n",
                "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "250000\n",
                "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
            ], quota: 2.5),
        Case(
            "one: a container without its own view of groups", groups: "2:cpuacct,cpu:/docker/1f\n",
            mounts: "32 31 0:29 /docker/1f /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpuacct,cpu\n",
            ["/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "50000"], quota: 2),
        Case(
            "both: the controller is in one of them", groups: "1:cpu:/\n0::/a\n", mounts: two + one,
            ["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "70000", "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000"],
            quota: 0.7),
        Case("garbage", groups: "0::\n:::\n\n1\n", mounts: "- - -\n1 2 3 / /x rw -\n\n", [:], quota: nil),
        Case(
            "garbage in the files", groups: "0::/a\n", mounts: two,
            ["/sys/fs/cgroup/a/cpu.max": "many\n", "/sys/fs/cgroup/cpu.max": "100000 0\n"], quota: nil),
    ]

    @Test(arguments: cases) func isFound(_ test: Case) {
        var files = test.files
        files["/proc/self/cgroup"] = test.groups
        files["/proc/self/mountinfo"] = test.mounts
        #expect(ProcessorQuota.granted { files[$0] } == test.quota)
    }

    @Test func aSystemWithoutGroupsHasNone() { #expect(ProcessorQuota.granted { _ in nil } == nil) }

    /// Files of the system that tell no size are read to their end.
    @Test func readsFilesOfTheSystem() throws {
        #expect(try #require(systemText("/proc/self/mountinfo")).hasSuffix("\n"))
        #expect(systemText("/proc/self/no such file") == nil && systemText("/proc/self") == nil)
        #expect(systemText("/dev/zero") == nil)
    }
}
