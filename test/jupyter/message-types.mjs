/** Types of messages, known and unknown ones, that neither run code nor end a kernel: whatever is in them, it goes on. */
export const harmlessTypes = [
  "kernel_info_request",
  "is_complete_request",
  "complete_request",
  "inspect_request",
  "history_request",
  "comm_info_request",
  "comm_open",
  "comm_msg",
  "comm_close",
  "input_reply",
  "interrupt_request",
  "no_such_request",
  "__proto__",
  "constructor",
];
