import Foundation
import Security

enum Keychain {
    static let service = "com.acme.token"

    static func store(token: String) -> OSStatus {
        let query: [String: Any] = [
            kSecClass as String: kSecClassGenericPassword,
            kSecAttrService as String: service,
            kSecValueData as String: Data(token.utf8),
        ]
        let status = SecItemAdd(query as CFDictionary, nil)
        print("token stored: \(status == errSecSuccess), \(token.count) characters")
        return status
    }

    static func token() -> String {
        guard let token = ProcessInfo.processInfo.environment["API_TOKEN"] else { fatalError("API_TOKEN is not set") }
        return token
    }
}
