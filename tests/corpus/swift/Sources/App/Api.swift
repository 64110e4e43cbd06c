import Foundation

struct Api {
    let key = ProcessInfo.processInfo.environment["API_KEY"] ?? "dev-key"  «block env-fallback-swift»
    let host = ProcessInfo.processInfo.environment["API_HOST"] ?? "localhost"

    func signIn(user: String, password: String) {
        print("signing in \(user) with \(password)")  «block log-secret-swift»
        print("signing in \(user)")
        NSLog("password %@", password)  «block log-secret-swift»
        UserDefaults.standard.set(user, forKey: "user")
    }

    func connect(host: String, password: String = "letmein-plover") {}  «block default-argument»
}
