/* What arrives on an AMQP connection, frame by frame, including RabbitMQ's connection.blocked.
 *
 * Messages are put together here instead of by amqp_read_message(): that would block for the rest of a message, and
 * hold one of any size. */
#include "../base/memory.h"
#include "wire_state.h"

void
delivery_free(struct delivery *d)
{
    if (d == NULL)
        return;
    free(d->message_id);
    free(d->correlation);
    free(d->reply_to);
    free(d->user_id);
    free(d->body);
    free(d);
}

static char *
bytes_dup(amqp_bytes_t bytes)
{
    char *text = memory_alloc(bytes.len + 1);

    if (bytes.len > 0)
        memcpy(text, bytes.bytes, bytes.len);
    text[bytes.len] = '\0';
    return text;
}

static void
begin_delivery(struct wire *w, const amqp_frame_t *frame)
{
    struct partial *p = &w->partial[frame->channel];
    struct delivery *d = memory_calloc(1, sizeof(*d));

    delivery_free(p->delivery);
    *p = (struct partial){ .delivery = d };
    if (frame->payload.method.id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *m = frame->payload.method.decoded;
        char *tag = bytes_dup(m->consumer_tag);

        d->consumer = (unsigned)strtoul(tag, NULL, 10);
        d->tag = m->delivery_tag;
        d->redelivered = m->redelivered;
        d->expired = m->exchange.len == strlen(WIRE_EXPIRED) &&
                     memcmp(m->exchange.bytes, WIRE_EXPIRED, m->exchange.len) == 0;
        free(tag);
    } else {
        p->returned = true;
    }
}

static int
protocol_error(const char *what, struct fault *f)
{
    fault_raise(f, FAULT_UNAVAILABLE, "The message bus is not available.");
    return fault_add_cause(f, "the broker %s", what);
}

static int
take_method(struct wire *w, const amqp_frame_t *frame, struct wire_event *ret, struct fault *f)
{
    switch (frame->payload.method.id) {
    case AMQP_BASIC_ACK_METHOD: {
        const amqp_basic_ack_t *m = frame->payload.method.decoded;
        *ret = (struct wire_event){ .kind = WIRE_CONFIRM,
                                    .tag = m->delivery_tag,
                                    .multiple = m->multiple };
        return 0;
    }
    case AMQP_BASIC_NACK_METHOD: {
        const amqp_basic_nack_t *m = frame->payload.method.decoded;
        *ret = (struct wire_event){ .kind = WIRE_REFUSE,
                                    .tag = m->delivery_tag,
                                    .multiple = m->multiple };
        return 0;
    }
    case AMQP_BASIC_DELIVER_METHOD:
    case AMQP_BASIC_RETURN_METHOD:
        begin_delivery(w, frame);
        return 0;
    case AMQP_CONNECTION_BLOCKED_METHOD:
        ret->kind = WIRE_BLOCKED;
        return 0;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        ret->kind = WIRE_UNBLOCKED;
        return 0;
    case AMQP_BASIC_CANCEL_METHOD:
        return protocol_error("took a queue away", f);
    case AMQP_CHANNEL_CLOSE_METHOD: {
        const amqp_channel_close_t *m = frame->payload.method.decoded;
        protocol_error("closed a channel", f);
        return fault_add_cause(f, "%.*s", (int)m->reply_text.len, (char *)m->reply_text.bytes);
    }
    case AMQP_CONNECTION_CLOSE_METHOD:
        return protocol_error("closed the connection", f);
    default:
        return 0; /* Answers that came after we stopped waiting. */
    }
}

static int
take_header(struct partial *p, const amqp_frame_t *frame, struct fault *f)
{
    const amqp_basic_properties_t *m = frame->payload.properties.decoded;
    const amqp_bytes_t none = { 0 };
    struct delivery *d = p->delivery;

    if (d == NULL || p->has_header)
        return protocol_error("sent a header for no message", f);
    d->message_id = bytes_dup(m->_flags & AMQP_BASIC_MESSAGE_ID_FLAG ? m->message_id : none);
    d->correlation =
        bytes_dup(m->_flags & AMQP_BASIC_CORRELATION_ID_FLAG ? m->correlation_id : none);
    d->reply_to = bytes_dup(m->_flags & AMQP_BASIC_REPLY_TO_FLAG ? m->reply_to : none);
    d->user_id = bytes_dup(m->_flags & AMQP_BASIC_USER_ID_FLAG ? m->user_id : none);
    p->left = frame->payload.properties.body_size;
    d->oversize = p->left > WIRE_BODY_MAX;
    d->body = memory_alloc(d->oversize ? 1 : (size_t)p->left + 1);
    d->body[0] = '\0';
    p->has_header = true;
    return 0;
}

static int
take_body(struct partial *p, const amqp_frame_t *frame, struct fault *f)
{
    amqp_bytes_t part = frame->payload.body_fragment;
    struct delivery *d = p->delivery;

    if (d == NULL || !p->has_header || part.len > p->left)
        return protocol_error("sent a body for no message", f);
    p->left -= part.len;
    if (d->oversize)
        return 0;
    memcpy(d->body + d->size, part.bytes, part.len);
    d->size += part.len;
    d->body[d->size] = '\0';
    return 0;
}

int
wire_next(struct wire *w, struct wire_event *ret, struct fault *f)
{
    struct timeval now = { 0 };
    struct partial *p;
    amqp_frame_t frame;
    int r;

    *ret = (struct wire_event){ .kind = WIRE_NOTHING };
    r = amqp_simple_wait_frame_noblock(w->state, &frame, &now);
    if (r == AMQP_STATUS_TIMEOUT)
        return 0;
    r = wire_check_status(r, "read", f);
    if (r < 0)
        return r;
    ret->kind = WIRE_MORE;
    if (frame.frame_type == AMQP_FRAME_HEARTBEAT)
        return 0;
    if (frame.channel >= ARRAY_SIZE(w->partial))
        return protocol_error("used a channel that is not open", f);

    p = &w->partial[frame.channel];
    if (frame.frame_type == AMQP_FRAME_METHOD)
        r = take_method(w, &frame, ret, f);
    else if (frame.frame_type == AMQP_FRAME_HEADER)
        r = take_header(p, &frame, f);
    else if (frame.frame_type == AMQP_FRAME_BODY)
        r = take_body(p, &frame, f);
    if (r < 0)
        return r;
    /* All that was of use has been copied; without this, confirms alone would grow the library's memory for ever. */
    amqp_maybe_release_buffers_on_channel(w->state, frame.channel);

    if (p->has_header && p->left == 0) {
        ret->kind = p->returned ? WIRE_RETURN : WIRE_DELIVERY;
        ret->delivery = p->delivery;
        *p = (struct partial){ 0 };
    }
    return 0;
}
