extension TaskLocal {
    /// `withValue` for a body whose errors are of one type, which that would forget.
    package func binding<R, E: Error>(_ value: Value, _ body: () throws(E) -> R) throws(E) -> R {
        var result: Result<R, E>?
        withValue(value) {
            do throws(E) { result = .success(try body()) } catch { result = .failure(error) }
        }
        return try result!.get()
    }
}
