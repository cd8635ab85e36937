import ArgumentParser
import Kanto

struct SampleCommand: KantoCommand {
    static let configuration = CommandConfiguration(commandName: "sample", abstract: "")
    mutating func execute() throws {}
}
