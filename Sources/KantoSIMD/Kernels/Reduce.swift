import KantoABI
func makeReduce(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ kernel: KernelSlot, _ message: Message?
) -> kanto_status { decline(message, "x") }
