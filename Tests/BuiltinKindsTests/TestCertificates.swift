/// Certificates and requests for tests, made with openssl.
enum TestCertificates {
    /// A request for `CN=jane` with a P-256 key: PEM in base64.
    static let request =
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISk1IRUNBUUF3RHpFTk1Bc0dBMVVFQXd3RWFtRnVaVEJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSApBMElBQkNzM0c0UnBzWTNJbDgvUGQrdGlNWER4VE1kQzZrbXorWkFwVWxVV0hyeTNyTGgxWTJLVHFFdkR2UUYvCngxNG5YcllVZmxCRUxDOW5LOHp6S0gzeU8yQ2dBREFLQmdncWhrak9QUVFEQWdOSUFEQkZBaUVBb2RTRFlVSHEKbTRhZ3ZPVGRWRTFRK0t3UitHTHhwdi9lTk93UGR1MXBIWFFDSUU4MHNWRmFVM2U2djJPbHBlbkc5NlVoVE44SgpxcUxPQ0JvUTZycEN4NGZuCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo="

    /// The same request, DER in base64.
    static let plainRequest =
        "MIHJMHECAQAwDzENMAsGA1UEAwwEamFuZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCs3G4RpsY3Il8/Pd+tiMXDxTMdC6kmz+ZApUlUWHry3rLh1Y2KTqEvDvQF/x14nXrYUflBELC9nK8zzKH3yO2CgADAKBggqhkjOPQQDAgNIADBFAiEAodSDYUHqm4agvOTdVE1Q+KwR+GLxpv/eNOwPdu1pHXQCIE80sVFaU3e6v2OlpenG96UhTN8JqqLOCBoQ6rpCx4fn"

    /// A certificate authority with an Ed25519 key.
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBMDCB46ADAgECAhRNrt+0eN6x3TUMDRdwpMg1dMl3cTAFBgMrZXAwDTELMAkG
        A1UEAwwCY2EwIBcNMjYxMTIxMDYzMDM3WhgPMjEyNjEwMjgwNjMwMzdaMA0xCzAJ
        BgNVBAMMAmNhMCowBQYDK2VwAyEAGmOBeGKLVzC9o9HdlEAWqszj/ELEJG7A8fog
        6ZzJAIKjUzBRMB0GA1UdDgQWBBSYAw0V++VtukfA1KLywiHN/BovmzAfBgNVHSME
        GDAWgBSYAw0V++VtukfA1KLywiHN/BovmzAPBgNVHRMBAf8EBTADAQH/MAUGAytl
        cANBAJ3/4lqnXl9LWfPXjRx04QCCcsDocq6yEZYVchstK2Z3XAko36x3HBgQl87Z
        7Sz0Re64dmcQT6JnDVuIvefW4wQ=
        -----END CERTIFICATE-----

        """

    /// The authority's key, and its signature of the text `u1`.
    static let key = "MCowBQYDK2VwAyEAGmOBeGKLVzC9o9HdlEAWqszj/ELEJG7A8fog6ZzJAII="
    static let signature = "TgzCJGAhJRsNy8udXWJ6FiMfNtj/0QyiJ6jD0ALmMomE6OTg4L2/3dVHORF2x9ycRz9ytlPrvpIsDGtVUVo7BQ=="
}
