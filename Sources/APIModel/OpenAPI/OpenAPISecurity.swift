import Values

/// How clients say who they are, as upstream's documents have it: by a token.
enum OpenAPISecurity {
    static let schemes: JSONValue = [
        "BearerToken": [
            "description": "Bearer Token authentication", "type": "apiKey", "name": "authorization", "in": "header",
        ]
    ]

    static let required: JSONValue = [["BearerToken": []]]
}
