// Compares the declarations of the folder include with the libraries' own headers where these are installed.

#include "CBrokers.h"

#if __has_include(<nats/nats.h>)
#include <nats/nats.h>
_Static_assert(cb_nats_ok == NATS_OK, "");
_Static_assert(cb_nats_secure_wanted == NATS_SECURE_CONNECTION_WANTED, "");
_Static_assert(cb_nats_secure_required == NATS_SECURE_CONNECTION_REQUIRED, "");
_Static_assert(cb_nats_auth_failed == NATS_CONNECTION_AUTH_FAILED, "");
_Static_assert(cb_nats_not_permitted == NATS_NOT_PERMITTED, "");
_Static_assert(cb_nats_max_payload == NATS_MAX_PAYLOAD, "");
_Static_assert(cb_nats_timeout == NATS_TIMEOUT, "");
_Static_assert(cb_nats_ssl_error == NATS_SSL_ERROR, "");
_Static_assert(cb_nats_no_responders == NATS_NO_RESPONDERS, "");
#endif

#if __has_include(<amqp.h>)
#include <amqp.h>
#define SAME_SIZE(ours, theirs) _Static_assert(sizeof(ours) == sizeof(theirs), #theirs)
#define SAME_PLACE(ours, our, theirs, their) \
  _Static_assert(offsetof(ours, our) == offsetof(theirs, their), #theirs "." #their)
SAME_SIZE(CBAMQPBytes, amqp_bytes_t);
SAME_PLACE(CBAMQPBytes, start, amqp_bytes_t, bytes);
SAME_SIZE(CBAMQPTable, amqp_table_t);
SAME_PLACE(CBAMQPTable, entries, amqp_table_t, entries);
SAME_SIZE(CBAMQPValue, amqp_field_value_t);
SAME_PLACE(CBAMQPValue, value, amqp_field_value_t, value);
SAME_SIZE(CBAMQPEntry, amqp_table_entry_t);
SAME_PLACE(CBAMQPEntry, value, amqp_table_entry_t, value);
SAME_SIZE(CBAMQPReply, amqp_rpc_reply_t);
SAME_SIZE(CBAMQPMethod, amqp_method_t);
SAME_PLACE(CBAMQPMethod, content, amqp_method_t, decoded);
SAME_PLACE(CBAMQPReply, method, amqp_rpc_reply_t, reply);
SAME_PLACE(CBAMQPReply, library_error, amqp_rpc_reply_t, library_error);
SAME_PLACE(CBAMQPClose, text, amqp_channel_close_t, reply_text);
SAME_PLACE(CBAMQPClose, text, amqp_connection_close_t, reply_text);
SAME_SIZE(CBAMQPDeclared, amqp_queue_declare_ok_t);
SAME_PLACE(CBAMQPDeclared, messages, amqp_queue_declare_ok_t, message_count);
SAME_SIZE(CBAMQPAck, amqp_basic_ack_t);
SAME_PLACE(CBAMQPAck, multiple, amqp_basic_ack_t, multiple);
SAME_PLACE(CBAMQPAck, multiple, amqp_basic_nack_t, multiple);
SAME_SIZE(CBAMQPProperties, amqp_basic_properties_t);
SAME_PLACE(CBAMQPProperties, content_type, amqp_basic_properties_t, content_type);
SAME_PLACE(CBAMQPProperties, headers, amqp_basic_properties_t, headers);
SAME_PLACE(CBAMQPProperties, delivery_mode, amqp_basic_properties_t, delivery_mode);
SAME_PLACE(CBAMQPProperties, cluster_id, amqp_basic_properties_t, cluster_id);
SAME_SIZE(CBAMQPEnvelope, amqp_envelope_t);
SAME_PLACE(CBAMQPEnvelope, tag, amqp_envelope_t, delivery_tag);
SAME_PLACE(CBAMQPEnvelope, properties, amqp_envelope_t, message.properties);
SAME_PLACE(CBAMQPEnvelope, body, amqp_envelope_t, message.body);
SAME_PLACE(CBAMQPEnvelope, pool, amqp_envelope_t, message.pool);
SAME_SIZE(CBAMQPFrame, amqp_frame_t);
SAME_PLACE(CBAMQPFrame, method, amqp_frame_t, payload.method);
_Static_assert(cb_amqp_normal == AMQP_RESPONSE_NORMAL, "");
_Static_assert(cb_amqp_library_error == AMQP_RESPONSE_LIBRARY_EXCEPTION, "");
_Static_assert(cb_amqp_server_error == AMQP_RESPONSE_SERVER_EXCEPTION, "");
_Static_assert(cb_amqp_timeout == AMQP_STATUS_TIMEOUT, "");
_Static_assert(cb_amqp_unexpected_state == AMQP_STATUS_UNEXPECTED_STATE, "");
_Static_assert(cb_amqp_wrong_host == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED, "");
_Static_assert(cb_amqp_wrong_certificate == AMQP_STATUS_SSL_PEER_VERIFY_FAILED, "");
_Static_assert(cb_amqp_connection_close == AMQP_CONNECTION_CLOSE_METHOD, "");
_Static_assert(cb_amqp_channel_close == AMQP_CHANNEL_CLOSE_METHOD, "");
_Static_assert(cb_amqp_basic_cancel == AMQP_BASIC_CANCEL_METHOD, "");
_Static_assert(cb_amqp_basic_return == AMQP_BASIC_RETURN_METHOD, "");
_Static_assert(cb_amqp_basic_ack == AMQP_BASIC_ACK_METHOD, "");
_Static_assert(cb_amqp_basic_nack == AMQP_BASIC_NACK_METHOD, "");
_Static_assert(cb_amqp_frame_method == AMQP_FRAME_METHOD, "");
_Static_assert(cb_amqp_success == AMQP_REPLY_SUCCESS, "");
_Static_assert(cb_amqp_headers_flag == AMQP_BASIC_HEADERS_FLAG, "");
_Static_assert(cb_amqp_delivery_mode_flag == AMQP_BASIC_DELIVERY_MODE_FLAG, "");
_Static_assert(cb_amqp_content_type_flag == AMQP_BASIC_CONTENT_TYPE_FLAG, "");
#endif
