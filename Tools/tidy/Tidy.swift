@main enum Tidy { static func main() {} }
