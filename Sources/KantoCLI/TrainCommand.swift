import ArgumentParser
import Kanto

struct TrainCommand: KantoCommand {
    static let configuration = CommandConfiguration(commandName: "train", abstract: "")
    mutating func execute() throws {}
}
