/* A gRPC server with the standard health service and nothing else: HTTP/2 by hand, one process per connection.
 *
 * Answers every call with SERVING, or NOT_SERVING while the file /tmp/unhealthy exists; a request for the service
 * "nobody" with status NOT_FOUND, one for the service "slow" never. Usage: grpc-health PORT */
#include <arpa/inet.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATA = 0, HEADERS = 1, SETTINGS = 4, PING = 6, GOAWAY = 7, ACK = 1, END_STREAM = 1, END_HEADERS = 4, LONGEST = 1 << 14 };

static int all(int fd, void *buffer, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = read(fd, (char *)buffer + done, size - done);
        if (count <= 0) return 0;
        done += (size_t)count;
    }
    return 1;
}

static void frame(int fd, int type, int flags, uint32_t stream, const void *payload, size_t size) {
    uint8_t out[9 + 256] = {(uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size, (uint8_t)type, (uint8_t)flags,
                            (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
    memcpy(out + 9, payload, size);
    if (write(fd, out, 9 + size) < 0) exit(0);
}

/* A field with a literal name, not indexed (RFC 7541, 6.2.2). */
static size_t field(uint8_t *out, const char *name, const char *value) {
    size_t n = strlen(name), v = strlen(value);
    out[0] = 0;
    out[1] = (uint8_t)n;
    memcpy(out + 2, name, n);
    out[2 + n] = (uint8_t)v;
    memcpy(out + 3 + n, value, v);
    return 3 + n + v;
}

static void answer(int fd, uint32_t stream, const uint8_t *message, size_t size) {
    char service[64] = "";
    /* five bytes of gRPC's frame, then the field 1 of HealthCheckRequest */
    if (size > 7 && message[5] == 0x0A && message[6] < sizeof service && (size_t)message[6] + 7 <= size)
        memcpy(service, message + 7, message[6]);
    printf("check %s\n", service);
    fflush(stdout);
    if (strcmp(service, "slow") == 0) return;
    uint8_t fields[128];
    size_t length = 0;
    fields[length++] = 0x88; /* :status 200 */
    length += field(fields + length, "content-type", "application/grpc");
    if (strcmp(service, "nobody") == 0) {
        length += field(fields + length, "grpc-status", "5");
        length += field(fields + length, "grpc-message", "unknown service");
        frame(fd, HEADERS, END_HEADERS | END_STREAM, stream, fields, length);
        return;
    }
    frame(fd, HEADERS, END_HEADERS, stream, fields, length);
    uint8_t reply[7] = {0, 0, 0, 0, 2, 0x08, access("/tmp/unhealthy", F_OK) == 0 ? 2 : 1};
    frame(fd, DATA, 0, stream, reply, sizeof reply);
    length = field(fields, "grpc-status", "0");
    frame(fd, HEADERS, END_HEADERS | END_STREAM, stream, fields, length);
}

static void serve(int fd) {
    static uint8_t payload[LONGEST];
    uint8_t message[512];
    size_t have = 0;
    char preface[24];
    if (!all(fd, preface, sizeof preface) || memcmp(preface, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24) != 0) return;
    frame(fd, SETTINGS, 0, 0, "", 0);
    for (uint8_t head[9]; all(fd, head, sizeof head);) {
        size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        uint32_t stream = (uint32_t)(head[5] & 0x7F) << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8];
        if (size > LONGEST || !all(fd, payload, size)) return;
        if (head[3] == SETTINGS && !(head[4] & ACK)) frame(fd, SETTINGS, ACK, 0, "", 0);
        if (head[3] == PING && !(head[4] & ACK) && size == 8) frame(fd, PING, ACK, 0, payload, 8);
        if (head[3] == GOAWAY) return;
        if (head[3] == DATA && have + size <= sizeof message) {
            memcpy(message + have, payload, size);
            have += size;
        }
        if ((head[3] == DATA || head[3] == HEADERS) && head[4] & END_STREAM) {
            answer(fd, stream, message, have);
            have = 0;
        }
    }
}

int main(int count, char **arguments) {
    signal(SIGCHLD, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(count > 1 ? arguments[1] : "50051"))};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0) return perror("listen"), 1;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        if (fork() == 0) {
            close(listener);
            serve(fd);
            exit(0);
        }
        close(fd);
    }
}
