/* Which code of a plugin is being called, so that a crash, an exit or a hang in it can be told. */
#ifndef KANTO_PLUGIN_CALLS_H
#define KANTO_PLUGIN_CALLS_H
#include <stdbool.h>
#include <stdint.h>

/* Around each call of a plugin's code, on the thread that calls. The text says what is called, for people; it is there until
   the call is left. What `enter` returns is handed to `leave`. */
const char *kanto_enter_plugin(const char *text);
void kanto_leave_plugin(const char *outer);

/* A text for `enter`, and its end. */
const char *kanto_make_plugin_text(const char *text);
void kanto_free_plugin_text(const char *text);

/* Marks the calling thread as one that works for the thread which is in a plugin. */
void kanto_join_plugin_call(void);

/* From now on, a call of exit by a plugin writes a line and ends the process with this code. */
void kanto_report_plugin_exits(int32_t code);

/* From now on, a signal that ends the process while a plugin is called writes a line first. */
void kanto_report_plugin_crashes(void);

/* Copies what was being called when this was asked before, and is being called still; false where that has ended. */
bool kanto_lasting_plugin_call(char *text, int64_t capacity);

#endif
