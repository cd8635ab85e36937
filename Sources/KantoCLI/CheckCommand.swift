import ArgumentParser
import Kanto

struct CheckCommand: KantoCommand {
    static let configuration = CommandConfiguration(commandName: "check", abstract: "")
    mutating func execute() throws {}
}
