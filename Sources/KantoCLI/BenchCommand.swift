import ArgumentParser
import Kanto

struct BenchCommand: KantoCommand {
    static let configuration = CommandConfiguration(commandName: "bench", abstract: "")
    mutating func execute() throws {}
}
