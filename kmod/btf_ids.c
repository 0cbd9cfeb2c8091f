// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs where the module is built: puts the numbers that functions have in the module's BTF into
 * its .BTF_ids, as the kernel's resolve_btfids does, which Debian's headers are without. Of what
 * can be in that section it knows what the module has: sets of functions with flags.
 *
 * Usage: btf_ids MODULE BASE    BASE: the kernel's BTF, which that of the module goes on from
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FUNC_PREFIX "__BTF_ID__func__"
#define SET_PREFIX  "__BTF_ID__set8__"
#define SET_KFUNCS  1 /* flag of a set; kernels from 6.9 on want it, earlier ones do not look */

struct file {
	const char *name;
	char *data;
	size_t size;
};

struct section {
	char *data;
	size_t size;
	unsigned int index;
};

struct btf {
	const struct btf_header *hdr;
	const char *types, *strings;
	uint32_t base_types;   /* numbers that are the base's, 0 among them */
	uint32_t base_strings; /* bytes that are */
};

/* In .BTF_ids, with the layout of struct btf_id_set8. */
struct id_set {
	uint32_t count;
	uint32_t flags;
	struct id {
		uint32_t id;
		uint32_t flags;
	} ids[];
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "btf_ids: %s: %s\n", what, why);
	exit(1);
}

static struct file file_map(const char *name, bool write)
{
	struct file f = { .name = name };
	int fd = open(name, write ? O_RDWR : O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(name, strerror(errno));
	f.size = (size_t)st.st_size;
	f.data = mmap(NULL, f.size, PROT_READ | (write ? PROT_WRITE : 0),
		      write ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	if (f.data == MAP_FAILED)
		die(name, strerror(errno));
	close(fd);
	return f;
}

static const Elf64_Ehdr *elf_header(const struct file *f)
{
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)f->data;

	if (f->size < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) ||
	    e->e_ident[EI_CLASS] != ELFCLASS64 ||
	    e->e_shoff + (uint64_t)e->e_shnum * sizeof(Elf64_Shdr) > f->size ||
	    e->e_shstrndx >= e->e_shnum)
		die(f->name, "not a 64-bit object");
	return e;
}

static struct section section_at(const struct file *f, const Elf64_Shdr *s, unsigned int index)
{
	if (s->sh_offset > f->size || s->sh_size > f->size - s->sh_offset)
		die(f->name, "a section lies outside of the file");
	return (struct section){ f->data + s->sh_offset, s->sh_size, index };
}

/* By name, or, where that is NULL, by type. */
static struct section section_find(const struct file *f, const char *name, uint32_t type,
				   unsigned int *link)
{
	const Elf64_Ehdr *e = elf_header(f);
	const Elf64_Shdr *s = (const Elf64_Shdr *)(f->data + e->e_shoff);
	const struct section names = section_at(f, &s[e->e_shstrndx], e->e_shstrndx);

	for (unsigned int i = 1; i < e->e_shnum; i++) {
		if (name ? s[i].sh_name < names.size && !strcmp(names.data + s[i].sh_name, name)
			 : s[i].sh_type == type) {
			if (link)
				*link = s[i].sh_link;
			return section_at(f, &s[i], i);
		}
	}
	die(f->name, name ? name : "no symbols");
	abort();
}

static struct btf btf_open(const char *name, const char *data, size_t size, const struct btf *base)
{
	struct btf b = { .hdr = (const struct btf_header *)data };

	if (size < sizeof(*b.hdr) || b.hdr->magic != BTF_MAGIC ||
	    (uint64_t)b.hdr->hdr_len + b.hdr->type_off + b.hdr->type_len > size ||
	    (uint64_t)b.hdr->hdr_len + b.hdr->str_off + b.hdr->str_len > size)
		die(name, "not BTF");
	b.types = data + b.hdr->hdr_len + b.hdr->type_off;
	b.strings = data + b.hdr->hdr_len + b.hdr->str_off;
	b.base_types = 1;
	if (base)
		b.base_strings = base->hdr->str_len;
	return b;
}

/* Bytes of a type. */
static size_t type_size(const struct btf_type *t)
{
	const size_t n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(*t) + sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(*t) + sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return sizeof(*t) + n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return sizeof(*t) + n * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return sizeof(*t) + n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return sizeof(*t) + n * sizeof(struct btf_var_secinfo);
	case BTF_KIND_ENUM64:
		return sizeof(*t) + n * 12;
	default:
		return sizeof(*t);
	}
}

static const char *type_name(const struct btf *b, const struct btf_type *t)
{
	/* A name that the kernel has too is in its strings. None of a function of the module is. */
	if (t->name_off < b->base_strings || t->name_off - b->base_strings >= b->hdr->str_len)
		return "";
	return b->strings + (t->name_off - b->base_strings);
}

/* The number of a function; with name NULL: the first number that is not in use. */
static uint32_t btf_function(const struct btf *b, const char *name)
{
	const char *at = b->types, *end = b->types + b->hdr->type_len;
	uint32_t id = b->base_types;

	for (; at + sizeof(struct btf_type) <= end; id++) {
		const struct btf_type *t = (const struct btf_type *)at;

		if (name && BTF_INFO_KIND(t->info) == BTF_KIND_FUNC &&
		    !strcmp(type_name(b, t), name))
			return id;
		at += type_size(t);
	}
	return name ? 0 : id;
}

/* A raw file, or the section of an object. */
static struct btf base_open(const char *name)
{
	struct file f = file_map(name, false);
	struct section s = { f.data, f.size, 0 };

	if (f.size > SELFMAG && !memcmp(f.data, ELFMAG, SELFMAG))
		s = section_find(&f, ".BTF", 0, NULL);
	return btf_open(name, s.data, s.size, NULL);
}

static int id_order(const void *a, const void *b)
{
	const struct id *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* "__BTF_ID__func__NAME__NUMBER": the number tells apart what is listed twice. */
static void patch_function(const struct btf *b, const char *symbol, uint32_t *id)
{
	char name[256];
	char *number;

	snprintf(name, sizeof(name), "%s", symbol + strlen(FUNC_PREFIX));
	number = name + strlen(name);
	while (number > name + 2 && number[-1] != '_')
		number--;
	if (number <= name + 2 || number[-2] != '_')
		die(symbol, "a symbol of another form");
	number[-2] = '\0';
	*id = btf_function(b, name);
	if (!*id)
		die(name, "no such function in the module's BTF");
}

static void patch_set(struct id_set *set, size_t size)
{
	set->count = (uint32_t)((size - sizeof(*set)) / sizeof(set->ids[0]));
	set->flags |= SET_KFUNCS;
	qsort(set->ids, set->count, sizeof(set->ids[0]), id_order);
}

/* Functions first: a set is sorted by their numbers. Returns how many symbols were of that kind. */
static int patch(const struct file *f, const struct btf *b, bool sets)
{
	const char *prefix = sets ? SET_PREFIX : FUNC_PREFIX;
	const struct section ids = section_find(f, ".BTF_ids", 0, NULL);
	unsigned int link;
	const struct section symtab = section_find(f, NULL, SHT_SYMTAB, &link);
	const Elf64_Shdr *s = (const Elf64_Shdr *)(f->data + elf_header(f)->e_shoff);
	const struct section names = section_at(f, &s[link], link);
	const Elf64_Sym *sym = (const Elf64_Sym *)symtab.data;
	int n = 0;

	for (size_t i = 0; i < symtab.size / sizeof(*sym); i++) {
		const char *name = names.data + sym[i].st_name;

		if (sym[i].st_shndx != ids.index || strncmp(name, prefix, strlen(prefix)))
			continue;
		if (sym[i].st_value > ids.size || sym[i].st_size > ids.size - sym[i].st_value ||
		    sym[i].st_size < sizeof(uint32_t))
			die(name, "lies outside of .BTF_ids");
		if (sets)
			patch_set((struct id_set *)(ids.data + sym[i].st_value), sym[i].st_size);
		else
			patch_function(b, name, (uint32_t *)(ids.data + sym[i].st_value));
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	struct section own;
	struct file module;
	struct btf base, b;

	if (argc != 3) {
		fprintf(stderr, "usage: btf_ids MODULE BASE\n");
		return 2;
	}
	base = base_open(argv[2]);
	module = file_map(argv[1], true);
	own = section_find(&module, ".BTF", 0, NULL);
	b = btf_open(argv[1], own.data, own.size, &base);
	b.base_types = btf_function(&base, NULL);
	if (!patch(&module, &b, false) || !patch(&module, &b, true))
		die(argv[1], "no functions to give numbers to");
	if (munmap(module.data, module.size))
		die(argv[1], strerror(errno));
	return 0;
}
