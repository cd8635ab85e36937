import Glibc
import KantoABI

@testable import KantoCommunication

/// A communicator whose other ranks hold what this one does: a sum is a multiple.
struct Mirror {
    let communicator: Communicator

    /// - Parameter rankCount: 2 or 3.
    init(rankCount: Int) {
        let table = UnsafeMutablePointer<kanto_communicator>.allocate(capacity: 1)
        table.initialize(to: kanto_communicator())
        table.pointee.struct_size = UInt32(MemoryLayout<kanto_communicator>.size)
        (table.pointee.rank_count, table.pointee.local_rank_count) = (UInt32(rankCount), UInt32(rankCount))
        table.pointee.name = UnsafePointer(strdup("mirror"))
        table.pointee.all_reduce = { table, values, count, type, _ in
            let factor = table!.pointee.rank_count
            for index in 0..<Int(count) {
                if type == UInt32(KANTO_DTYPE_F32) {
                    values!.assumingMemoryBound(to: Float.self)[index] *= Float(factor)
                } else {
                    values!.assumingMemoryBound(to: Double.self)[index] *= Double(factor)
                }
            }
            return kanto_status(KANTO_STATUS_OK)
        }
        communicator = Communicator(table, origin: "mirror")
    }
}
